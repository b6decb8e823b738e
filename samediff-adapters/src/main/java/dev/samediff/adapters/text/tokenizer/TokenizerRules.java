package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a {@code tokenizer.json} must hold so that the tokenizers library 0.21 does not abort the process.
 *
 * <p>{@link #check} refuses what aborts it for sure or with common texts, and says of the rest whether it is harmless: made of steps that are
 * known and whose sources were read for what panics. Harmless are all steps without numbers or patterns of their own (NFC, Lowercase, Fuse,
 * ByteLevel, Metaspace, ...); {@code Replace} and {@code Split} with a plain text or an expression that is {@link RegexShape plain};
 * {@code Precompiled} with a map that no text leads out of ({@link CharsMap}); {@code Strip} that cuts nothing at the end of a token;
 * {@code TemplateProcessing} whose tokens are listed; BPE, WordPiece, WordLevel and Unigram models.
 */
final class TokenizerRules {
    /** How many times longer all replacements together may make a text. */
    private static final double GROWTH = 10_000;

    private static final Set<String> NORMALIZERS = Set.of(
            "BertNormalizer", "Strip", "StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "ByteLevel");
    private static final Set<String> PRE_TOKENIZERS = Set.of(
            "BertPreTokenizer",
            "ByteLevel",
            "CharDelimiterSplit",
            "Metaspace",
            "Whitespace",
            "Punctuation",
            "WhitespaceSplit",
            "Digits",
            "UnicodeScripts");
    private static final Set<String> POST_PROCESSORS = Set.of("BertProcessing", "RobertaProcessing", "ByteLevel");
    private static final Set<String> DECODERS =
            Set.of("BPEDecoder", "ByteLevel", "WordPiece", "Metaspace", "CTC", "Fuse", "ByteFallback");
    private static final Set<String> MODELS = Set.of("BPE", "WordPiece", "WordLevel", "Unigram");

    private final TokenizerJson json;
    private final byte[] bytes;
    private final String source;
    private boolean harmless = true;
    private double growth;

    TokenizerRules(TokenizerJson json, byte[] bytes, String source) {
        this.json = json;
        this.bytes = bytes;
        this.source = source;
    }

    /**
     * Returns whether the library can run the file in this process.
     *
     * @throws InvalidInputException if it must not run it at all
     */
    boolean check() {
        for (JsonNode step : steps("normalizer", "normalizers")) {
            normalizer(step, type(step));
        }
        steps("pre_tokenizer", "pretokenizers").forEach(this::preTokenizer);
        steps("post_processor", "processors").forEach(this::postProcessor);
        growth = 1;
        steps("decoder", "decoders").forEach(this::decoder);
        model();
        return harmless;
    }

    /** The steps of a section, those within sequences too, in their order. */
    private List<JsonNode> steps(String section, String members) {
        growth = 1;
        List<JsonNode> steps = new ArrayList<>();
        JsonNode step = json.steps().get(section);
        if (step != null && !step.isNull()) {
            flatten(step, members, steps);
        }
        return steps;
    }

    private void flatten(JsonNode step, String members, List<JsonNode> into) {
        if (type(step).equals("Sequence")) {
            step.path(members).forEach(member -> flatten(member, members, into));
        } else {
            into.add(step);
        }
    }

    private static String type(JsonNode step) {
        return step.path("type").asText("");
    }

    private void normalizer(JsonNode step, String type) {
        if (NORMALIZERS.contains(type)) {
            return;
        }
        switch (type) {
            case "Prepend" -> {
                String prefix = step.path("prepend").asText("");
                if (prefix.isEmpty()) {
                    throw refused("its normalizer Prepend has nothing to prepend; remove it");
                }
                grow(1 + prefix.length(), "normalizer");
            }
            case "Replace" -> replacement(step, "normalizer");
            case "Precompiled" -> {
                String fault = CharsMap.fault(step.path("precompiled_charsmap").asText(""));
                if (!fault.isEmpty()) {
                    throw refused("the precompiled_charsmap of its normalizer " + fault + "; make the file again");
                }
            }
            default -> harmless = false;
        }
    }

    private void preTokenizer(JsonNode step) {
        switch (type(step)) {
            case "Split" -> pattern(step);
            default -> harmless &= PRE_TOKENIZERS.contains(type(step));
        }
    }

    private void postProcessor(JsonNode step) {
        switch (type(step)) {
            case "TemplateProcessing" -> {
                template(step, "single", Set.of("A"));
                template(step, "pair", Set.of("A", "B"));
            }
            default -> harmless &= POST_PROCESSORS.contains(type(step));
        }
    }

    private void decoder(JsonNode step) {
        switch (type(step)) {
            case "Replace" -> replacement(step, "decoder");
            // cutting at the end of a token that is shorter panics, and so does cutting a token that is cut away at its
            // beginning
            case "Strip" -> harmless &= step.path("stop").asLong(1) == 0;
            default -> harmless &= DECODERS.contains(type(step));
        }
    }

    private void template(JsonNode step, String key, Set<String> sequences) {
        for (JsonNode piece : step.path(key)) {
            JsonNode special = piece.path("SpecialToken").path("id");
            JsonNode token = step.path("special_tokens").path(special.asText());
            if (special.isTextual() && !token.isObject()) {
                throw refused("its post_processor puts `" + JsonFiles.excerpt(special.asText())
                        + "` around a text, but special_tokens does not list it");
            }
            if (special.isTextual()
                    && token.path("ids").size() != token.path("tokens").size()) {
                throw refused("the special token `" + JsonFiles.excerpt(special.asText())
                        + "` of its post_processor has " + token.path("ids").size() + " ids for "
                        + token.path("tokens").size() + " tokens");
            }
            JsonNode sequence = piece.path("Sequence").path("id");
            if (sequence.isTextual() && !sequences.contains(sequence.asText())) {
                throw refused("the template `" + key + "` of its post_processor has the sequence "
                        + JsonFiles.excerpt(sequence.asText()) + "; expected " + sequences);
            }
            harmless &= special.isTextual() || sequence.isTextual();
        }
    }

    private void replacement(JsonNode step, String what) {
        pattern(step);
        String content = step.path("content").asText("");
        double size = content.getBytes(StandardCharsets.UTF_8).length;
        String text = step.path("pattern").path("String").asText("");
        grow(text.isEmpty() ? 1 + size : Math.max(1, size / text.getBytes(StandardCharsets.UTF_8).length), what);
    }

    private void grow(double factor, String what) {
        growth *= factor;
        if (growth > GROWTH) {
            throw refused("what its " + what + " puts in may make a text more than " + (int) GROWTH
                    + " times longer; remove some");
        }
    }

    private void pattern(JsonNode step) {
        JsonNode pattern = step.path("pattern");
        JsonNode regex = pattern.path("Regex");
        harmless &= regex.isTextual()
                ? RegexShape.isPlain(regex.textValue())
                : !pattern.path("String").asText("").isEmpty();
    }

    private void model() {
        harmless &= MODELS.contains(setting("type"));
        String prefix = setting("continuing_subword_prefix");
        if (!json.model().equals("BPE") || prefix.isEmpty()) {
            return;
        }
        JsonNode merges = JsonFiles.object(bytes, source, "a Hugging Face tokenizer.json")
                .path("model")
                .path("merges");
        for (JsonNode merge : merges) { // "a ##b", or since 0.20 ["a", "##b"]
            String second = merge.isArray()
                    ? merge.path(1).asText("")
                    : merge.asText("").substring(merge.asText("").indexOf(' ') + 1);
            if (!second.startsWith(prefix)) {
                throw refused("the second part of the merge `" + JsonFiles.excerpt(merge.toString())
                        + "` does not begin with the continuing_subword_prefix `" + JsonFiles.excerpt(prefix) + "`");
            }
        }
    }

    private String setting(String key) {
        JsonNode value = json.settings().get(key);
        return value == null ? "" : value.asText("");
    }

    private InvalidInputException refused(String what) {
        return new InvalidInputException(source + " cannot be used: " + what);
    }
}
