package dev.samediff.adapters.text.jsonl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Examples of tasks from JSONL, CSV, TSV, CoNLL and JSON files. */
class TaskExamplesTest {
    @TempDir
    Path dir;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text);
    }

    @Test
    void pairs_scores_triplets_and_preferences_are_read_from_both_forms() throws IOException {
        assertThat(TaskExamples.groups(file("p.jsonl", "{\"text_a\":\"a\",\"text_b\":\"b\",\"score\":0.5}\n")))
                .containsExactly(TextGroup.scored("a", "b", 0.5));
        assertThat(TaskExamples.groups(file("p.csv", "sentence1,sentence2,score\na,b,-1\n")))
                .containsExactly(TextGroup.scored("a", "b", -1));
        assertThat(TaskExamples.groups(file("q.csv", "anchor,positive,negative\na,b,c\n")))
                .containsExactly(TextGroup.of("a", "b", "c"));
        assertThat(TaskExamples.groups(file("r.csv", "anchor,positive\na,b\n"))
                        .get(0)
                        .texts())
                .containsExactly("a", "b");
        assertThat(TaskExamples.scored(file("s.csv", "id,text,score\n1,a, 2.5 \n")))
                .containsExactly(new ScoredText("a", 2.5));
        assertThat(TaskExamples.preferences(file("f.csv", "prompt,chosen,rejected\n,b,c\n")))
                .containsExactly(new PreferenceExample("", "b", "c"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "scored      | t.csv   | text,score;a,1;b,x          | line 3: `score` is `x`, expected a number",
                "scored      | t.csv   | text,score;a,NaN            | expected a finite number",
                "scored      | t.csv   | text,number;a,1             | line 2: has no `score` or `label`; its keys are [number, text]",
                "scored      | t.csv   | text,score; ,1              | line 2: `text` is empty",
                "scored      | t.jsonl | {'text':'a','score':[1]}    | line 1: `score` is [1], expected a finite number",
                "scored      | t.jsonl | {'text':7,'score':1}        | line 1: `text` is number, expected a string",
                "groups      | t.csv   | text_a,text_b;a,b;c,        | line 3: `text_b` is empty",
                "groups      | t.jsonl | {'text_a':'a','text_b':'b'};{'text_a':'a','text_b':'b','score':1} | line 2: is a pair with a score, the first row a pair",
                "preferences | t.csv   | prompt,chosen,rejected;p,a,a | line 2: the answers to the prompt `p` are `a` and `a`",
                "tags        | t.jsonl | {'tokens':['a'],'tags':[]}  | line 1: has 1 words and 0 tags",
                "tags        | t.jsonl | {'tokens':'a','tags':['O']} | line 1: `tokens` is string, expected an array",
                "tags        | t.jsonl | {'tokens':['a'],'tags':[3]} | line 1: `tags` holds 3, expected strings",
                "tags        | t.conll | a O;b                       | line 2: has 1 columns, expected 2",
                "tags        | t.conll | a                           | line 1: has 1 columns, expected a word and its tag",
                "tags        | t.conll | -DOCSTART- O                | holds no sentence",
            })
    void what_cannot_be_used_is_one_sentence_with_its_line(String what, String name, String text, String reason)
            throws IOException {
        Path file = file(name, text.replace(';', '\n').replace('\'', '"'));
        Consumer<Path> reader = switch (what) {
            case "scored" -> TaskExamples::scored;
            case "groups" -> TaskExamples::groups;
            case "preferences" -> TaskExamples::preferences;
            case "tags" -> TaggedTexts::read;
            default -> LabelledTexts::read;
        };
        assertThatThrownBy(() -> reader.accept(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(reason.replace('\'', '"'));
        assertThatThrownBy(() -> reader.accept(dir.resolve("none.csv")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void sentences_of_conll_end_at_blank_lines() throws IOException {
        Path file =
                file("t.txt", "-DOCSTART- -X- O O\n\nAnn NNP B-NP B-PER\nleft VBD B-VP O\n\n\nParis NNP B-NP B-LOC\n");
        TaggedTexts texts = TaggedTexts.read(file);
        assertThat(texts.classes()).containsExactly("B-LOC", "B-PER", "O");
        assertThat(texts.examples())
                .containsExactly(
                        new TaggedWords(List.of("Ann", "left"), List.of(1, 2)),
                        new TaggedWords(List.of("Paris"), List.of(0)));
        assertThat(TaggedTexts.read(file("t.jsonl", "{\"words\": [\"x\"], \"ner_tags\": [\"O\"]}\n"), texts.classes())
                        .examples())
                .containsExactly(new TaggedWords(List.of("x"), List.of(2)));
        assertThatThrownBy(() -> TaggedTexts.read(file, List.of("O")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the tag `B-PER` in the sentence `Ann left` is none of the 1 classes");
    }

    @Test
    void parts_of_a_json_file_are_read_by_name() throws IOException {
        Path file = file(
                "d.json",
                "{\"train\": [[\"a\", \"x\"], [\"b\", \"w\"]], \"test\": [[\"c\", \"x\"]], \"bad\": [[1, 2]]}");
        LabelledTexts train = LabelledTexts.readPart(file, "train");
        assertThat(train.classes()).containsExactly("w", "x");
        assertThat(LabelledTexts.readPart(file, "test", train.classes()).examples())
                .containsExactly(new LabelledText("c", 1));
        assertThatThrownBy(() -> LabelledTexts.readPart(file, "val"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no part `val`")
                .hasMessageContaining("[train, test, bad]");
        assertThatThrownBy(() -> LabelledTexts.readPart(file, "bad"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("example 0 of `bad` is [1,2], expected [text, class]");
    }

    @Test
    void published_files_are_read_as_they_are() {
        LabelledTexts banking = LabelledTexts.read(SharedFiles.require("data/banking77/train.csv"));
        assertThat(banking.classes()).hasSize(77);
        assertThat(banking.examples()).hasSize(10_003);
        assertThat(LabelledTexts.read(SharedFiles.require("data/banking77/test.csv"), banking.classes())
                        .examples())
                .hasSize(3_080);
        LabelledTexts clinc = LabelledTexts.readPart(SharedFiles.require("data/clinc150/data_full.json"), "train");
        assertThat(clinc.classes()).hasSize(150);
        assertThat(clinc.examples()).hasSize(15_000);
    }
}
