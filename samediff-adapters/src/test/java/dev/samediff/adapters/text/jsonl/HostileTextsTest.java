package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.testing.HostileFiles;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts and vocabularies from anybody are read or refused. Longer: {@code -Dmutations=2000}. */
class HostileTextsTest {
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
