package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every task from files to answers, on the little models of {@code task_models.py}. */
class TextTasksTest {
    private static final Path MODELS = Path.of("src/test/resources/tasks");

    @TempDir
    Path folder;

    private Path data(String name, String header, String... lines) throws IOException {
        List<String> all = new ArrayList<>();
        if (!header.isEmpty()) {
            all.add(header);
        }
        for (int i = 0; i < 8; i++) {
            all.addAll(List.of(lines));
        }
        return Files.write(folder.resolve(name), all);
    }

    private Run fineTune(String task, Path model, Path tokenizer, Path data, String... more) {
        List<String> given = List.of(more);
        Stream<String> usual = Stream.of(
                        "--steps 60", "--batch 8", "--rank 4", "--lr 3e-2", "--warmup 0", "--eval-every 20")
                .filter(option -> !given.contains(option.split(" ")[0]))
                .flatMap(option -> Stream.of(option.split(" ")));
        return Run.of(Stream.of(
                        Stream.of("finetune", "--task", task, "--json"),
                        usual,
                        Stream.of("--model", model.toString(), "--tokenizer", tokenizer.toString()),
                        Stream.of("--train", data.toString(), "--eval", data.toString()),
                        Stream.of("--out", folder.resolve("run").toString()),
                        Stream.of(more))
                .flatMap(part -> part)
                .toArray(String[]::new));
    }

    private Run encoder(String task, Path data, String... more) {
        return fineTune(task, MODELS.resolve("encoder.onnx"), MODELS.resolve("letters.json"), data, more);
    }

    /** The training succeeded and said everywhere what it came to; `evaluate` finds the same. */
    private JsonNode learned(Run run, String task, String peft, String metric, Path data) throws IOException {
        assertThat(run.exitCode()).as(run.err()).isZero();
        JsonNode summary = run.json();
        assertThat(summary.required("task").asText()).isEqualTo(task);
        assertThat(summary.required("eval_loss_after").asDouble())
                .isLessThan(0.8 * summary.required("eval_loss_before").asDouble());
        assertThat(Json.parse(Files.readString(folder.resolve("run/summary.json"))))
                .isEqualTo(summary);
        JsonNode config = Json.parse(Files.readString(folder.resolve("run/adapter/adapter_config.json")));
        assertThat(config.required("task_type").asText()).isEqualTo(peft);
        assertThat(config.required("base_model_name_or_path").asText()).endsWith(".onnx");

        Run evaluated =
                Run.of("evaluate", "--run", folder.resolve("run").toString(), "--data", data.toString(), "--json");
        assertThat(evaluated.exitCode()).as(evaluated.err()).isZero();
        assertThat(evaluated.json().required("loss").asDouble())
                .isCloseTo(summary.required("eval_loss_after").asDouble(), within(1e-4));
        if (!metric.isEmpty()) {
            double after = summary.required("metrics_after").required(metric).asDouble();
            assertThat(evaluated.json().required("metrics").required(metric).asDouble())
                    .isCloseTo(after, within(1e-3));
            assertThat(Files.readString(folder.resolve("run/metrics.jsonl"))).contains("\"" + metric + "\":");
            assertThat(Files.readString(folder.resolve("run/report.html"))).contains(metric.replace('_', ' '));
            assertThat(run.out()).contains(metric.replace('_', ' '));
        }
        return summary;
    }

    private Run predict(String... texts) {
        List<String> words = new ArrayList<>(
                List.of("predict", "--run", folder.resolve("run").toString(), "--json"));
        for (String text : texts) {
            words.addAll(List.of("--text", text));
        }
        Run run = Run.of(words.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run;
    }

    @Test
    void words_get_their_tags() throws IOException {
        Path data = data("train.conll", "", "ann B-PER", "is O", "here O", "", "rome B-LOC", "is O", "");
        Run run = encoder("tag", data, "--metric", "entity_f1", "--patience", "2");
        JsonNode summary = learned(run, "tag", "TOKEN_CLS", "entity_f1", data);
        assertThat(summary.required("judged_by").asText()).isEqualTo("entity_f1");
        assertThat(summary.required("metrics_after").required("entity_f1").asDouble())
                .isEqualTo(1);
        Run predicted = predict("ann is here", "rome is");
        assertThat(predicted.out())
                .startsWith(
                        String.join(System.lineSeparator(), "ann\tB-PER\nis\tO\nhere\tO\n", "rome\tB-LOC\nis\tO\n"));
        assertThat(predicted
                        .json()
                        .get(0)
                        .required("words")
                        .get(0)
                        .required("tag")
                        .asText())
                .isEqualTo("B-PER");
    }

    @Test
    void texts_get_their_numbers() throws IOException {
        Path data = data("train.csv", "text,score", "aaa,1", "zzz,-1", "mmm,0.25");
        JsonNode summary = learned(encoder("regress", data), "regress", "SEQ_CLS", "spearman", data);
        assertThat(summary.required("judged_by").asText()).isEqualTo("loss");
        JsonNode answers = predict("aaa", "zzz").json();
        assertThat(answers.get(0).required("score").asDouble())
                .isGreaterThan(answers.get(1).required("score").asDouble() + 1);
    }

    @ParameterizedTest
    @CsvSource({"'anchor,positive', 'aaa,bb', 'zzz,yy'", "'anchor,positive,negative', 'aaa,bb,yy', 'zzz,yy,bb'"})
    void texts_that_belong_together_get_near_vectors(String header, String one, String other) throws IOException {
        Path data = data("pairs.csv", header, one, other);
        learned(encoder("embed", data, "--batch", "2"), "embed", "FEATURE_EXTRACTION", "", data);
        JsonNode answers = predict("aaa", "bb", "yy").json();
        assertThat(cosine(answers.get(0), answers.get(0))).isCloseTo(1, within(1e-4));
        assertThat(cosine(answers.get(0), answers.get(1))).isGreaterThan(cosine(answers.get(0), answers.get(2)));
    }

    @Test
    void texts_get_vectors_as_near_as_their_scores_say() throws IOException {
        Path data = data("pairs.csv", "sentence1,sentence2,score", "aaa,bb,0.9", "aaa,yy,-0.5", "mmm,nn,0.4");
        learned(encoder("embed", data), "embed", "FEATURE_EXTRACTION", "cosine_spearman", data);
        JsonNode answers = predict("aaa", "bb", "yy").json();
        assertThat(cosine(answers.get(0), answers.get(1))).isGreaterThan(cosine(answers.get(0), answers.get(2)));
    }

    private static double cosine(JsonNode one, JsonNode other) {
        double sum = 0;
        for (int i = 0; i < one.required("vector").size(); i++) {
            sum += one.required("vector").get(i).asDouble()
                    * other.required("vector").get(i).asDouble();
        }
        return sum;
    }

    @Test
    void texts_get_texts() throws IOException {
        Path data = data(
                "train.jsonl",
                "",
                "{\"prompt\": \"ab\", \"response\": \"xy\"}",
                "{\"prompt\": \"zz\", \"response\": \"q\"}");
        Run run = fineTune(
                "seq2seq", MODELS.resolve("responder.onnx"), MODELS.resolve("letters.json"), data, "--steps", "150");
        JsonNode summary = learned(run, "seq2seq", "SEQ_2_SEQ_LM", "exact_match", data);
        assertThat(summary.required("metrics_after").required("exact_match").asDouble())
                .isEqualTo(1);
        assertThat(predict("ab", "zz").out()).startsWith(String.join(System.lineSeparator(), "xy\tab", "q\tzz"));
    }

    @ParameterizedTest
    @CsvSource({"dpo, 0", "orpo, -1"})
    void the_better_answer_is_preferred(String loss, double before) throws IOException {
        BundledModel bundled = BundledModel.extract();
        Path data = data(
                "pairs.jsonl",
                "",
                "{\"prompt\": \"Tom has \", \"chosen\": \"3 pens.\", \"rejected\": \"no hats.\"}",
                "{\"prompt\": \"Mia has \", \"chosen\": \"4 pens.\", \"rejected\": \"no cats.\"}");
        Run run = fineTune(
                "prefer",
                bundled.onnx(),
                bundled.vocabulary(),
                data,
                "--preference-loss",
                loss,
                "--targets",
                "c_attn",
                "--steps",
                "15",
                "--max-length",
                "32");
        JsonNode summary = learned(run, "prefer", "CAUSAL_LM", "preference_accuracy", data);
        assertThat(summary.required("metrics_after")
                        .required("preference_accuracy")
                        .asDouble())
                .isEqualTo(1);
        if (before >= 0) {
            assertThat(summary.required("metrics_before")
                            .required("preference_accuracy")
                            .asDouble())
                    .isEqualTo(before);
        }
        Run refused = Run.of("predict", "--run", folder.resolve("run").toString(), "--text", "a");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.error()).contains("generate --adapter");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tag | a.csv | text,score | a,1 | --pooling mean | --pooling mean belongs to --task",
                "regress | a.csv | text,score | a,one | | line 2",
                "regress | a.csv | text,score | a,1 | --metric accuracy | there are loss, spearman, pearson, mse",
                "regress | a.csv | text,score | a,1 | --spark local[2] | leave --spark out",
                "classify | a.csv | text,label | a,b | | of one class only",
                "tag | a.conll | | one | | has 1 columns",
                "embed | a.csv | text_a,text_b | a,b | --pooling each | gives no vector for a text",
                "seq2seq | a.jsonl | | {\"text\": \"a\"} | | has no prompt",
                "seq2seq | a.jsonl | | {\"prompt\": \"a\", \"response\": \"b\"} | | no input decoder_input_ids",
                "prefer | a.csv | prompt,chosen,rejected | a,b,c | --preference-loss ipo | there are dpo and orpo",
                "none | a.csv | text,label | a,b | | there is no task `none`",
                "lm | a.jsonl | | {\"text\": \"a\"} | --beta 1 | --beta 1.0 belongs to --task prefer",
            })
    void what_cannot_be_learned_is_one_sentence(
            String task, String name, String header, String line, String option, String said) throws IOException {
        Path data = data(name, header == null ? "" : header, line);
        Run run = encoder(task, data, option == null ? new String[0] : option.split(" "));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(2);
        assertThat(run.error()).contains(said);
        assertThat(folder.resolve("run")).doesNotExist();
    }
}
