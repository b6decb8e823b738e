package dev.samediff.samples.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.text.generation.Sampling;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleTest {
    private static final int TOKENS = 6;
    private static final WritingDefaults SHORT =
            new WritingDefaults(Sampling.greedy(), Optional.of(TOKENS), Optional.empty(), List.of(), Optional.empty());

    @TempDir
    static Path folder;

    private static ServedModels models;

    private final List<String> said = new ArrayList<>();

    @BeforeAll
    static void open() throws IOException {
        models = BundledService.open(folder);
    }

    @AfterAll
    static void close() {
        models.close();
    }

    private List<String> talk(String... lines) throws IOException {
        StringWriter out = new StringWriter();
        new Console(models, SHORT, new PrintWriter(out), said::add)
                .read(new BufferedReader(new StringReader(String.join("\n", lines))));
        return out.toString().lines().toList();
    }

    @Test
    void the_history_is_part_of_the_prompt_and_the_adapter_can_be_switched() throws IOException {
        List<String> answers = talk("/adapter base", "Tom has 7 pens.", "/adapter other", "How many?");
        String first = BundledService.written(BundledService.BASE, "Tom has 7 pens.\n", TOKENS);
        String second =
                BundledService.written(BundledService.ADAPTER, "Tom has 7 pens.\n" + first + "\nHow many?\n", TOKENS);
        assertThat(String.join("\n", answers)).isEqualTo((first + "\n" + second).stripTrailing());
        assertThat(said).contains("talking with `base`", "talking with `other`");
    }

    @Test
    void a_conversation_can_be_begun_anew_with_a_text_before_it() throws IOException {
        List<String> answers = talk("/adapter base", "Anna", "/system Be brief.", "Tom", "/new", "Tom", "/quit", "Tom");
        String expected = BundledService.written(BundledService.BASE, "Be brief.\nTom\n", TOKENS);
        assertThat(String.join("\n", answers)).endsWith((expected + "\n" + expected).stripTrailing());
    }

    @Test
    void what_cannot_be_done_is_a_sentence_and_ends_nothing() throws IOException {
        List<String> answers = talk("/nothing", "/adapter nobody", "/adapter", "/help", "x".repeat(5000), "", "Tom");
        assertThat(answers).isNotEmpty();
        assertThat(String.join("\n", said))
                .contains("there is no command /nothing")
                .contains("there is no `nobody`; there are `base`, `other`")
                .contains("/quit")
                .contains("tokens with all around it; the model sees");
    }

    @Test
    void the_oldest_turns_are_forgotten_when_the_model_cannot_see_all() throws IOException {
        talk("Tom has 7 pens. Tom has 5 more.", "Anna has 12 apples. She eats 3.", "How many does she have now?");
        assertThat(String.join("\n", said)).contains("oldest").doesNotContain("error");
    }
}
