package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.testing.HostileFiles;
import dev.samediff.adapters.testing.Mutations;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts and vocabularies from anybody are read or refused. Longer: {@code -Dmutations=6000}. */
class HostileTextsTest {
    private static final int SHORTER = 3;

    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void changed_examples_are_read_or_refused() throws IOException {
        String lines = """
                {"prompt":"Tom has 3 pens. ","response":"He has 5 now."}
                {"prompt":"\\u00e9\\n","response":"x","more":[1,{"a":null}]}
                {"prompt":"a","response":"b"}
                """;
        new HostileFiles("JSONL, prompts and responses", file("examples.jsonl", lines), folder)
                .read(JsonlExamples::read);
    }

    @Test
    void changed_labelled_texts_are_read_or_refused() throws IOException {
        String names = "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n";
        String numbers = "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":3}\n";
        new HostileFiles("JSONL, named classes", file("names.jsonl", names), folder).read(LabelledTexts::read);
        new HostileFiles("JSONL, numbered classes", file("numbers.jsonl", numbers), folder).read(LabelledTexts::read);
    }

    /** Shorter in the build: they share their readers with the ones above. */
    private void changed(String what, Path valid, HostileFiles.Reader reader) throws IOException {
        new HostileFiles(what, valid, folder).read(Math.max(1, HostileFiles.count() / SHORTER), Mutations::of, reader);
    }

    @Test
    void changed_examples_of_tasks_are_read_or_refused() throws IOException {
        String pairs = "{\"text_a\":\"a\",\"text_b\":\"b\",\"score\":0.5}\n".repeat(2);
        String preferences = "{\"prompt\":\"p\",\"chosen\":\"b\",\"rejected\":\"c\"}\n".repeat(2);
        String scores = "{\"text\":\"a\",\"score\":1}\n{\"text\":\"b\",\"score\":-2.5}\n";
        changed("JSONL, pairs with scores", file("pairs.jsonl", pairs), TaskExamples::groups);
        changed("JSONL, preferences", file("preferences.jsonl", preferences), TaskExamples::preferences);
        changed("JSONL, scores", file("scores.jsonl", scores), TaskExamples::scored);
    }

    @Test
    void changed_tables_are_read_or_refused() throws IOException {
        String labels = "text,label\n\"a \"\"b\"\", c\",x\nd,y\n";
        String triplets = "anchor,positive,negative\na,b,c\nd,e,f\n";
        changed("CSV, classes", file("labels.csv", labels), LabelledTexts::read);
        changed("CSV, scores", file("scores.csv", "id,text,score\n1,a, 2.5 \n2,b,-1e3\n"), TaskExamples::scored);
        changed("CSV, triplets", file("triplets.csv", triplets), TaskExamples::groups);
    }

    @Test
    void changed_tags_and_parts_are_read_or_refused() throws IOException {
        String tags = "{\"tokens\":[\"a\",\"b\"],\"tags\":[\"O\",\"B-X\"]}\n";
        String parts = "{\"train\":[[\"a\",\"x\"],[\"b\",\"y\"]],\"val\":[[\"c\",\"x\"]]}";
        changed("JSONL, tags", file("tags.jsonl", tags), TaggedTexts::read);
        changed("CoNLL", file("tags.conll", "-DOCSTART- O\n\na O\nb B-X\n\nc O\n"), TaggedTexts::read);
        changed("JSON, parts of classes", file("parts.json", parts), path -> LabelledTexts.readPart(path, "train"));
    }

    @Test
    void a_changed_character_vocabulary_is_used_or_refused() throws IOException {
        String vocabulary = CharTokenizer.ofText("abc xyz\n\u00e9\ud83d\ude00").toJson();
        new HostileFiles("character vocabulary", file("vocabulary.json", vocabulary), folder).read(path -> {
            Tokenizer tokenizer = Tokenizers.load(path);
            tokenizer.decode(tokenizer.encodeFramed("abc \u00e9\ud83d\ude00!\n"));
            tokenizer.describe();
        });
    }
}
