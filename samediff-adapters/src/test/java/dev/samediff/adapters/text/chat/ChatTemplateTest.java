package dev.samediff.adapters.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates against jinja2 as transformers sets it up ({@code chat_templates.py}), against documentation, and from strangers. */
class ChatTemplateTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2024-07-26T09:05:03Z"), ZoneOffset.UTC);
    private static final Map<String, String> TOKENS =
            Map.of("bos_token", "<s>", "eos_token", "</s>", "pad_token", "<pad>");
    private static final List<ChatMessage> HELLO = List.of(ChatMessage.user("Hi"));

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private static List<JsonNode> cases() throws IOException {
        try (var in = ChatTemplateTest.class.getResourceAsStream("rendered.json")) {
            List<JsonNode> cases = new ArrayList<>();
            new ObjectMapper().readTree(in).forEach(cases::add);
            return cases;
        }
    }

    private static Rendered render(JsonNode one) {
        List<ChatMessage> messages = new ArrayList<>();
        one.path("messages")
                .forEach(message -> messages.add(new ChatMessage(
                        message.path("role").asText(), message.path("content").asText())));
        return ChatTemplate.of(one.path("template").asText())
                .withTokens(TOKENS)
                .withClock(CLOCK)
                .rendered(messages, one.path("answer").asBoolean());
    }

    private static String result(JsonNode one) {
        try {
            return render(one).text();
        } catch (InvalidInputException e) {
            return "refused: " + e.getMessage();
        }
    }

    @Test
    void published_templates_pieces_and_blanks_are_rendered_as_jinja2_renders_them() throws IOException {
        SoftAssertions all = new SoftAssertions();
        int count = 0;
        for (JsonNode one : cases()) {
            String said =
                    one.path("name").asText() + ": " + one.path("template").asText();
            String found = result(one);
            if (one.has("error")) {
                all.assertThat(found)
                        .as(said + " (" + one.path("error").asText() + ")")
                        .startsWith("refused: the chat template");
            } else {
                all.assertThat(found).as(said).isEqualTo(one.path("text").asText());
            }
            count++;
        }
        all.assertAll();
        assertThat(count).isGreaterThan(180);
    }

    /** transformers' AssistantTracker, by which TRL's assistant_only_loss masks. */
    @Test
    void generated_parts_are_where_transformers_finds_them() throws IOException {
        SoftAssertions all = new SoftAssertions();
        int count = 0;
        for (JsonNode one : cases()) {
            if (one.has("generated")) {
                List<Span> expected = new ArrayList<>();
                one.path("generated")
                        .forEach(span -> expected.add(
                                new Span(span.path(0).asInt(), span.path(1).asInt())));
                all.assertThat(render(one).generated())
                        .as(one.path("name").asText() + " " + one.path("messages"))
                        .isEqualTo(expected);
                count += expected.size();
            }
        }
        all.assertAll();
        assertThat(count).isGreaterThan(30);
    }

    private static ChatTemplate published(String name) throws IOException {
        for (JsonNode one : cases()) {
            if (one.path("name").asText().equals(name)) {
                return ChatTemplate.of(one.path("template").asText()).withClock(CLOCK);
            }
        }
        throw new AssertionError("chat_templates.py has no " + name);
    }

    /** Meta's "Llama 3.1: prompt formats" and "Llama 3.2": cutting date, today's date, the system's words behind them. */
    @Test
    void llama_3_1_and_3_2_begin_with_their_dates() throws IOException {
        List<ChatMessage> capital = List.of(
                ChatMessage.system("You are a helpful assistant"), ChatMessage.user("What is the capital of France?"));
        String expected =
                "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
                        + "Today Date: 26 Jul 2024\n\nYou are a helpful assistant<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
                        + "What is the capital of France?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
        Map<String, String> tokens = Map.of("bos_token", "<|begin_of_text|>");
        assertThat(published("llama31").withTokens(tokens).render(capital, true))
                .isEqualTo(expected);
        assertThat(published("llama32").withTokens(tokens).render(capital, true))
                .isEqualTo(expected);
        assertThat(published("llama32")
                        .withTokens(tokens)
                        .withClock(Clock.fixed(Instant.parse("2026-03-02T00:00:00Z"), ZoneOffset.UTC))
                        .render(capital, true))
                .isEqualTo(expected.replace("26 Jul 2024", "02 Mar 2026"));
    }

    /** Qwen's "Chat template" page: the default system turn, or the given one; a second answer follows the first. */
    @Test
    void qwen_2_5_has_a_system_turn_of_its_own_unless_one_is_given() throws IOException {
        assertThat(published("qwen25")
                        .render(
                                List.of(
                                        ChatMessage.system("You are a helpful assistant."),
                                        ChatMessage.user("Hello!"),
                                        ChatMessage.assistant("Hi there!"),
                                        ChatMessage.user("How are you?")),
                                true))
                .isEqualTo(
                        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n"
                                + "<|im_start|>assistant\nHi there!<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n");
    }

    /** Gemma's "Formatting" page: two turns; and what its template and Mistral's refuse, in their words. */
    @Test
    void gemma_and_mistral_refuse_what_they_were_not_trained_on_in_their_own_words() throws IOException {
        ChatTemplate gemma = published("gemma").withTokens(Map.of("bos_token", "<bos>"));
        ChatTemplate mistral = published("mistral").withTokens(TOKENS);
        List<ChatMessage> twice = List.of(ChatMessage.user("a"), ChatMessage.user("b"));
        assertThat(gemma.render(
                        List.of(
                                ChatMessage.user("Knock knock."),
                                ChatMessage.assistant("Who's there?"),
                                ChatMessage.user("Gemma.")),
                        true))
                .isEqualTo(
                        "<bos><start_of_turn>user\nKnock knock.<end_of_turn>\n<start_of_turn>model\nWho's there?<end_of_turn>\n"
                                + "<start_of_turn>user\nGemma.<end_of_turn>\n<start_of_turn>model\n");
        assertThatThrownBy(() -> gemma.render(List.of(ChatMessage.system("s"), ChatMessage.user("a")), true))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("the chat template refuses the conversation: System role not supported");
        for (ChatTemplate strict : List.of(gemma, mistral)) {
            assertThatThrownBy(() -> strict.render(twice, true))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage("the chat template refuses the conversation: Conversation roles must alternate"
                            + " user/assistant/user/assistant/...");
        }
        assertThatThrownBy(() -> mistral.render(List.of(ChatMessage.user("a"), ChatMessage.system("s")), true))
                .hasMessageContaining("Only user and assistant roles are supported!");
    }

    /** What the cards and documentation of the models show. */
    @Test
    void published_templates_write_what_their_documentation_shows() throws IOException {
        Map<String, String> templates = new java.util.HashMap<>();
        cases().forEach(one ->
                templates.put(one.path("name").asText(), one.path("template").asText()));
        List<ChatMessage> travel = List.of(
                ChatMessage.system("You are a helpful AI assistant for travel tips and recommendations"),
                ChatMessage.user("What is France's capital?"));
        assertThat(ChatTemplate.of(templates.get("llama3"))
                        .withTokens(Map.of("bos_token", "<|begin_of_text|>"))
                        .render(travel, true))
                .isEqualTo("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
                        + "You are a helpful AI assistant for travel tips and recommendations<|eot_id|>"
                        + "<|start_header_id|>user<|end_header_id|>\n\nWhat is France's capital?<|eot_id|>"
                        + "<|start_header_id|>assistant<|end_header_id|>\n\n");
        assertThat(ChatTemplate.of(templates.get("gemma"))
                        .withTokens(Map.of("bos_token", "<bos>"))
                        .render(List.of(ChatMessage.user("Write a hello world program")), true))
                .isEqualTo(
                        "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n");
        assertThat(ChatTemplate.of(templates.get("mistral"))
                        .withTokens(TOKENS)
                        .render(
                                List.of(
                                        ChatMessage.user("What is your favourite condiment?"),
                                        ChatMessage.assistant("Well, I'm quite partial to lemon juice."),
                                        ChatMessage.user("Do you have mayonnaise recipes?")),
                                true))
                .isEqualTo(
                        "<s>[INST] What is your favourite condiment? [/INST]Well, I'm quite partial to lemon juice.</s>"
                                + "[INST] Do you have mayonnaise recipes? [/INST]");
        assertThat(ChatTemplate.of(templates.get("qwen25")).render(HELLO, true))
                .isEqualTo(
                        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
                                + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        assertThat(ChatTemplate.of(templates.get("chatml")).render(HELLO, true))
                .isEqualTo("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void what_a_template_refuses_is_said_in_its_words() {
        assertThatThrownBy(() ->
                        ChatTemplate.of("{{ raise_exception('Only\nusers') }}").render(HELLO, false))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("the chat template refuses the conversation: Only\\nusers");
    }

    @Test
    void a_fault_of_a_template_is_said_with_its_line() {
        assertThatThrownBy(() -> ChatTemplate.of("a\n{% if x %}\n{{ 1 2 }}{% endif %}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("the chat template, line 3: expected `}}`, found `2`");
        assertThatThrownBy(() -> ChatTemplate.of("\n\n{% if x %}"))
                .hasMessage(
                        "the chat template, line 3: expected one of the tags [elif, else, endif], found the end of the template");
    }

    /** None of them may end the process, hang, or fill the memory. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}",
                "{% for i in range(1000000) %}{% for j in range(1000000) %}xxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
                "{{ 'x' * 1000000000000 }}",
                "{{ 'xx' * 9223372036854775 }}",
                "{{ 'x' * 100000000 * 100000000 }}",
                "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% endfor %}",
                "{% set ns = namespace(s=[1, 2]) %}{% for i in range(100) %}{% set ns.s = [ns.s | join, ns.s | join] %}{% endfor %}",
                "{% set ns = namespace(s=[]) %}{% for i in range(1000000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(1000000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
                "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{% if s + 'y' == s %}{% endif %}{% endfor %}",
                "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{% if 'y' in s %}{% endif %}{% endfor %}",
                "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{% set t = s.strip() %}{% endfor %}",
                "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{% set t = s[1:] %}{% endfor %}",
                "{% set s = 'x' * 1000000 %}{% for i in range(1000000) %}{% set t = s[999999] %}{% endfor %}",
                "{{ 'a\nb' | indent(1000000000000) }}",
                "{{ '\n' * 1000000 | indent(1000000) }}",
                "{{ range(-9223372036854775, 9223372036854775) }}",
                "{{ 9223372036854775807 * 9223372036854775807 }}",
                "{{ 99999999999999999999999999 }}",
                "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}{{ ns | tojson }}",
                "{{ ''.getClass() }}",
                "{{ ''.class.forName('java.lang.Runtime') }}",
                "{{ messages.getClass() }}",
                "{{ messages[0].__class__.__base__ }}",
                "{{ range.__globals__ }}{{ range.x.y }}",
                "{% include '/etc/passwd' %}",
            })
    void a_template_of_a_stranger_ends_with_a_sentence(String template) {
        assertThatThrownBy(() -> ChatTemplate.of(template).render(HELLO, false))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("chat template");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{'a':", "-", "not ", "1 if 1 else ", "{{", "x(", "x[", "'a' ~ (", "1 + ("})
    void a_template_that_is_nested_too_deep_is_refused(String piece) {
        assertThatThrownBy(() -> ChatTemplate.of("{{ " + piece.repeat(50_000) + " }}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("chat template");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{% if 1 %}", "{% for x in y %}", "{% macro f() %}", "{% if 1 %}{% elif 1 %}", "{% set x %}"})
    void statements_that_are_nested_too_deep_are_refused(String piece) {
        assertThatThrownBy(() -> ChatTemplate.of(piece.repeat(50_000)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("chat template");
    }

    @Test
    void operators_in_a_row_of_any_length_are_calculated_or_refused() {
        try {
            assertThat(ChatTemplate.of("{{ 0" + " + 1".repeat(50_000) + " }}").render(HELLO, false))
                    .isEqualTo("50000");
        } catch (InvalidInputException e) {
            assertThat(e).hasMessageContaining("nested too deep");
        }
    }

    @Test
    void words_of_a_conversation_are_never_read_as_a_template() {
        String words = "{{ 1 + 1 }}{% raw %}{# x #}";
        assertThat(ChatTemplate.of("{{ messages[0].content }}").render(List.of(ChatMessage.user(words)), false))
                .isEqualTo(words);
    }

    @Test
    void a_tokenizer_brings_one_template_several_or_a_file() throws IOException {
        assertThat(ChatTemplate.ofTokenizer(folder, "default")).isEmpty();
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(
                config,
                "{\"chat_template\": \"{{ bos_token }}one\", \"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": null}");
        assertThat(ChatTemplate.ofTokenizer(folder, "default").orElseThrow().render(HELLO, false))
                .isEqualTo("<s>one");
        Files.writeString(
                folder.resolve("special_tokens_map.json"), "{\"bos_token\": \"<x>\", \"eos_token\": \"</s>\"}");
        Files.writeString(
                config,
                "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d{{ eos_token }}\"}, {\"name\": \"tool_use\","
                        + " \"template\": \"t\"}]}");
        assertThat(ChatTemplate.ofTokenizer(folder.resolve("tokenizer.json"), "default")
                        .orElseThrow()
                        .render(HELLO, false))
                .isEqualTo("d</s>");
        assertThat(ChatTemplate.ofTokenizer(folder, "tool_use").orElseThrow().render(HELLO, false))
                .isEqualTo("t");
        assertThatThrownBy(() -> ChatTemplate.ofTokenizer(folder, "rag"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no template `rag`; there are [default, tool_use]");
        Files.writeString(folder.resolve("chat_template.jinja"), "file\n");
        assertThat(ChatTemplate.ofTokenizer(folder, "default").orElseThrow().render(HELLO, false))
                .isEqualTo("file");
    }
}
