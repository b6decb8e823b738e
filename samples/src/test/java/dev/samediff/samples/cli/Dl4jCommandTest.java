package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.intents.GeneratedIntents;
import dev.samediff.samples.intents.IntentData;
import dev.samediff.samples.intents.IntentFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Dl4jCommandTest {
    @TempDir
    Path folder;

    @Test
    void adapters_learn_the_new_intents_with_a_fraction_of_the_numbers() {
        Run run = Run.of(
                "dl4j",
                "--data",
                "generated",
                "--methods",
                "full,sorsa",
                "--epochs",
                "4",
                "--pretrain-epochs",
                "4",
                "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("full fine-tuning", "sorsa", "forgotten");
        JsonNode results = run.json().path("results");
        assertThat(results).hasSize(3);
        JsonNode before = results.get(0);
        JsonNode sorsa = results.get(2);
        assertThat(before.path("new_accuracy").asDouble()).isLessThan(0.1);
        assertThat(before.path("old_accuracy").asDouble()).isGreaterThan(0.6);
        assertThat(sorsa.path("new_accuracy").asDouble()).isGreaterThan(0.5);
        assertThat(sorsa.path("trainable").asLong() * 10)
                .isLessThan(results.get(1).path("trainable").asLong());
    }

    @Test
    void what_cannot_be_used_is_refused_with_what_exists() {
        Run method = Run.of("dl4j", "--data", "generated", "--methods", "nora");
        assertThat(method.exitCode()).isEqualTo(2);
        assertThat(method.error()).contains("`nora`", "sorsa");
        Run data = Run.of("dl4j", "--data", folder.toString());
        assertThat(data.exitCode()).isEqualTo(2);
        assertThat(data.error()).contains("train.csv", "data_full.json", "train.jsonl");
        Run rank = Run.of("dl4j", "--data", "generated", "--rank", "0");
        assertThat(rank.exitCode()).isEqualTo(2);
        assertThat(rank.error()).contains("rank 0");
    }

    @Test
    void files_are_read_as_their_authors_publish_them() throws IOException {
        Files.writeString(
                folder.resolve("train.csv"),
                "text,category\nwhere is it?,card\n\"He said \"\"no\"\", twice\",fee\n\"two\nlines\",fee\n");
        Files.writeString(folder.resolve("test.csv"), "text,category\nstill waiting,card\n");
        IntentData csv = IntentFiles.read(folder);
        assertThat(csv.classes()).containsExactly("card", "fee");
        assertThat(csv.train().get(1).text()).isEqualTo("He said \"no\", twice");
        assertThat(csv.train().get(2).text()).isEqualTo("two\nlines");
        Path clinc = Files.createDirectory(folder.resolve("clinc"));
        Files.writeString(
                clinc.resolve("data_full.json"),
                "{\"train\": [[\"hi\", \"greet\"], [\"bye\", \"leave\"]], \"test\": [[\"hello\", \"greet\"]]}");
        assertThat(IntentFiles.read(clinc).test().get(0).label()).isZero();
    }

    @Test
    void generated_test_sentences_are_not_among_those_learned_from() {
        IntentData data = GeneratedIntents.generate(60, 1);
        Set<String> known = new HashSet<>();
        data.train().forEach(text -> known.add(text.label() + text.text()));
        assertThat(data.classes()).hasSize(24);
        assertThat(data.test()).hasSizeGreaterThan(200).noneMatch(text -> known.contains(text.label() + text.text()));
    }
}
