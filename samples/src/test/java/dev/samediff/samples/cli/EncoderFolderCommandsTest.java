package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders of encoders, with their tokenizers, from the first look to a merged folder, by the commands. */
class EncoderFolderCommandsTest {
    private static final Path FOLDERS = Path.of("../import/src/test/resources/encoders");

    @TempDir
    Path folder;

    private static Run ran(String... arguments) {
        Run run = Run.of(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    private Path data(String name, String header, String... lines) throws IOException {
        List<String> all = new ArrayList<>(List.of(header));
        Collections.nCopies(10, List.of(lines)).forEach(all::addAll);
        return Files.write(folder.resolve(name), all);
    }

    private Run fineTune(String task, Path model, Path data, String... more) {
        List<String> arguments = new ArrayList<>(List.of("finetune", "--task", task, "--json"));
        arguments.addAll(List.of("--model", model.toString(), "--tokenizer", model.toString()));
        arguments.addAll(List.of("--train", data.toString(), "--eval", data.toString()));
        arguments.addAll(List.of("--steps", "40", "--batch", "8", "--rank", "4", "--lr", "2e-2", "--warmup", "0"));
        arguments.addAll(List.of("--out", folder.resolve("run").toString()));
        arguments.addAll(List.of(more));
        return Run.of(arguments.toArray(String[]::new));
    }

    private Path classes() throws IOException {
        return data(
                "classes.csv", "text,label", "a b a c,good", "m n b m,bad", "d m n,bad", "a c a,good", "t u t,fair");
    }

    private Path tags() throws IOException {
        return data("tags.conll", "", "a O", "m B-PER", "n I-PER", "b O", "", "c O", "d O", "t B-LOC", "");
    }

    private Path numbers() throws IOException {
        return data("numbers.csv", "text,score", "a a b,1", "m n,-1", "t u,0.25");
    }

    private Path data(String task) throws IOException {
        return switch (task) {
            case "classify" -> classes();
            case "tag" -> tags();
            default -> numbers();
        };
    }

    @ParameterizedTest
    @CsvSource({
        "bert-masked-lm, cls.predictions.decoder, TASK",
        "roberta-classification, classifier.out_proj, classify",
        "distilbert-tagging, classifier, tag"
    })
    void it_is_looked_at_verified_and_planned(String name, String head, String task) {
        String model = FOLDERS.resolve(name).toString();
        assertThat(ran("inspect", model).out()).contains("last_hidden_state", head);
        assertThat(ran("verify", model).out()).contains("passed");
        assertThat(ran("plan", "--model", model, "--rank", "4", "--length", "8", "--batch", "2")
                        .out())
                .contains("it fits", "--task " + task);
    }

    /** The head that the folder has is learned on, with the labels in its order, and merged into a folder of the same kind. */
    @ParameterizedTest
    @CsvSource({
        "bert-classification, classify, SEQ_CLS, bert.encoder.layer.0.attention.self.query, classifier",
        "bert-tagging, tag, TOKEN_CLS, bert.encoder.layer.0.attention.self.query, classifier",
        "distilbert-regression, regress, SEQ_CLS, distilbert.transformer.layer.0.attention.q_lin, classifier"
    })
    void the_folders_own_head_goes_on_learning(String name, String task, String type, String target, String head)
            throws IOException {
        Path data = data(task);
        Run run = fineTune(task, FOLDERS.resolve(name), data);
        assertThat(run.exitCode()).as(run.err()).isZero();
        JsonNode summary = run.json();
        assertThat(summary.required("eval_loss_after").asDouble())
                .isLessThan(0.7 * summary.required("eval_loss_before").asDouble());
        Path adapter = folder.resolve("run/adapter");
        JsonNode config = Json.parse(Files.readString(adapter.resolve("adapter_config.json")));
        assertThat(config.required("task_type").asText()).isEqualTo(type);
        assertThat(config.required("modules_to_save").get(0).asText()).isEqualTo(head);
        assertThat(config.required("target_modules").toString()).contains("\"" + target + "\"");
        String out = folder.resolve("run").toString();
        double found = ran("evaluate", "--run", out, "--data", data.toString(), "--json")
                .json()
                .required("loss")
                .asDouble();
        assertThat(found).isCloseTo(summary.required("eval_loss_after").asDouble(), within(1e-4));
        Path merged = folder.resolve("merged");
        ran(
                "merge",
                "--model",
                FOLDERS.resolve(name).toString(),
                "--adapter",
                adapter.toString(),
                "--out",
                merged.toString());
        ran("verify", merged.toString());
        assertThat(merged.resolve("tokenizer.json"))
                .hasSameBinaryContentAs(FOLDERS.resolve(name).resolve("tokenizer.json"));
        Run again = fineTune(task, merged, data, "--overwrite");
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(again.json().required("eval_loss_before").asDouble())
                .isCloseTo(found, within(name.equals("bert-classification") ? 0.05 : 1e-3)); // of bfloat16
    }

    @Test
    void labels_of_the_data_have_the_places_that_the_folder_gives_them() throws IOException {
        fineTune("classify", FOLDERS.resolve("bert-classification"), classes());
        JsonNode task = Json.parse(Files.readString(folder.resolve("run/task.json")));
        assertThat(task.required("settings").required("labels").toString()).isEqualTo("[\"bad\",\"fair\",\"good\"]");
        Run other = fineTune("classify", FOLDERS.resolve("roberta-classification"), classes());
        assertThat(other.exitCode()).isEqualTo(2);
        assertThat(other.error()).contains("the model scores the classes [a, b, c, d]", "--features last_hidden_state");
    }

    /** A model without such a head gets one: on BERT's pooler as in transformers, else on the mean of the features. */
    @ParameterizedTest
    @CsvSource({
        "bert-masked-lm, classify, GIVEN, classifier",
        "camembert, classify, MEAN, classifier",
        "distilbert-masked-lm, classify, MEAN, classifier",
        "roberta-masked-lm, tag, EACH, classifier"
    })
    void a_new_head_is_learned_and_merged_into_an_onnx_file(String name, String task, String pooling, String head)
            throws IOException {
        Run run = fineTune(task, FOLDERS.resolve(name), data(task));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.json().required("eval_loss_after").asDouble())
                .isLessThan(0.8 * run.json().required("eval_loss_before").asDouble());
        requireMerged(name, pooling, head);
    }

    @Test
    void a_new_head_beside_one_that_is_there_has_another_name() throws IOException {
        Run run = fineTune(
                "classify", FOLDERS.resolve("roberta-classification"), classes(), "--features", "last_hidden_state");
        assertThat(run.exitCode()).as(run.err()).isZero();
        requireMerged("roberta-classification", "MEAN", "new_classifier");
    }

    private void requireMerged(String name, String pooling, String head) throws IOException {
        JsonNode settings =
                Json.parse(Files.readString(folder.resolve("run/task.json"))).required("settings");
        assertThat(settings.required("pooling").asText()).isEqualTo(pooling);
        Path adapter = folder.resolve("run/adapter");
        assertThat(Json.parse(Files.readString(adapter.resolve("adapter_config.json")))
                        .required("modules_to_save")
                        .get(0)
                        .asText())
                .isEqualTo(head);
        String[] merge = {"merge", "--model", FOLDERS.resolve(name).toString(), "--adapter", adapter.toString(), "--out"
        };
        Run refused = Run.of(with(merge, folder.resolve("merged").toString()));
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.error()).contains(".onnx");
        String file = folder.resolve("merged.onnx").toString();
        ran(with(merge, file));
        ran("verify", file);
        assertThat(ran("inspect", file).out()).contains(head);
    }

    private static String[] with(String[] arguments, String last) {
        String[] all = Arrays.copyOf(arguments, arguments.length + 1);
        all[arguments.length] = last;
        return all;
    }
}
