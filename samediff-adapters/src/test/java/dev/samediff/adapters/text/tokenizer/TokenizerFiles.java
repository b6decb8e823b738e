package dev.samediff.adapters.text.tokenizer;

import java.util.LinkedHashMap;
import java.util.Map;

/** Small valid tokenizers that together have all models, steps and ways to write them. */
final class TokenizerFiles {
    private static final String SPECIAL =
            "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}";
    private static final String ADDED = "\"added_tokens\":[{\"id\":0,\"content\":\"<pad>\"," + SPECIAL
            + ",{\"id\":1,\"content\":\"</s>\"," + SPECIAL + "]";
    private static final String TEMPLATE =
            "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
                    + "{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
                    + "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"</s>\":{\"id\":\"</s>\",\"ids\":[1],\"tokens\":[\"</s>\"]}}}";
    private static final String BYTE_LEVEL =
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}";

    private TokenizerFiles() {}

    /** The texts by a name for each. */
    static Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(
                "bytes",
                file(
                        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"},"
                                + "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true},{\"type\":\"Lowercase\"},{\"type\":\"Prepend\",\"prepend\":\"_\"}]}",
                        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a+b?\"},\"behavior\":\"Isolated\",\"invert\":false},"
                                + BYTE_LEVEL + ",{\"type\":\"Digits\",\"individual_digits\":true}]}",
                        TEMPLATE,
                        "{\"type\":\"Sequence\",\"decoders\":[" + BYTE_LEVEL
                                + ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0},{\"type\":\"Replace\",\"pattern\":{\"String\":\"_\"},\"content\":\" \"},{\"type\":\"Fuse\"}]}",
                        "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"<pad>\",\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"\","
                                + "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,\"vocab\":{\"<pad>\":0,\"</s>\":1,\"a\":2,\"b\":3,\"c\":4,"
                                + "\"\u0120\":5,\"ab\":6,\"abc\":7,\"1\":8,\"2\":9},\"merges\":[[\"a\",\"b\"],[\"ab\",\"c\"]]}"));
        all.put(
                "subwords",
                file(
                        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}]}",
                        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Whitespace\"},{\"type\":\"Punctuation\",\"behavior\":\"MergedWithNext\"},"
                                + "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"-\"}]}",
                        "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",1],\"cls\":[\"<pad>\",0],\"trim_offsets\":true,\"add_prefix_space\":true}",
                        "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}",
                        "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"<pad>\",\"continuing_subword_prefix\":\"##\",\"end_of_word_suffix\":\"</w>\","
                                + "\"fuse_unk\":true,\"byte_fallback\":true,\"vocab\":{\"<pad>\":0,\"</s>\":1,\"a\":2,\"##b\":3,\"ab\":4,\"a</w>\":5,"
                                + "\"##b</w>\":6,\"<0x61>\":7},\"merges\":[\"a ##b\"]}"));
        all.put(
                "pieces",
                file(
                        "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + CharsMapTest.map() + "\"}",
                        "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\",\"split\":true}",
                        TEMPLATE,
                        "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\",\"split\":true}",
                        "{\"type\":\"Unigram\",\"unk_id\":2,\"vocab\":[[\"<pad>\",0.0],[\"</s>\",0.0],[\"<unk>\",0.0],[\"\u2581\",-2.0],[\"a\",-3.1],[\"b\",-3.2],"
                                + "[\"\u2581ab\",-4.5],[\"<0x61>\",-9.0]],\"byte_fallback\":true}"));
        all.put(
                "words",
                file(
                        "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}",
                        "{\"type\":\"BertPreTokenizer\"}",
                        "{\"type\":\"BertProcessing\",\"sep\":[\"</s>\",1],\"cls\":[\"<pad>\",0]}",
                        "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}",
                        "{\"type\":\"WordPiece\",\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
                                + "\"vocab\":{\"<pad>\":0,\"</s>\":1,\"<unk>\":2,\"a\":3,\"##b\":4,\"ab\":5}}"));
        all.put(
                "fallback",
                file(
                        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\u2581\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
                                + "\"content\":\"\u2581\"}]}",
                        "null",
                        "{\"type\":\"Sequence\",\"processors\":[" + BYTE_LEVEL + "," + TEMPLATE + "]}",
                        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"\u2581\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},"
                                + "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}",
                        "{\"type\":\"WordLevel\",\"vocab\":{\"<pad>\":0,\"</s>\":1,\"<unk>\":2,\"a\":3,\"\u2581a\":4},\"unk_token\":\"<unk>\"}"));
        all.put(
                "letters",
                file(
                        "{\"type\":\"Nmt\"}",
                        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"UnicodeScripts\"},{\"type\":\"WhitespaceSplit\"},{\"type\":\"Split\",\"pattern\":"
                                + "{\"String\":\"a\"},\"behavior\":\"MergedWithPrevious\",\"invert\":true}]}",
                        "null",
                        "{\"type\":\"CTC\",\"pad_token\":\"<pad>\",\"word_delimiter_token\":\"|\",\"cleanup\":true}",
                        "{\"type\":\"WordLevel\",\"vocab\":{\"<pad>\":0,\"</s>\":1,\"<unk>\":2,\"a\":3,\"|\":4},\"unk_token\":\"<unk>\"}"));
        return all;
    }

    private static String file(
            String normalizer, String preTokenizer, String postProcessor, String decoder, String model) {
        return "{\"version\":\"1.0\",\"truncation\":{\"direction\":\"Right\",\"max_length\":9,\"strategy\":\"LongestFirst\",\"stride\":2},"
                + "\"padding\":{\"strategy\":\"BatchLongest\",\"direction\":\"Right\",\"pad_to_multiple_of\":8,\"pad_id\":0,\"pad_type_id\":0,"
                + "\"pad_token\":\"<pad>\"}," + ADDED + ",\"normalizer\":" + normalizer + ",\"pre_tokenizer\":"
                + preTokenizer
                + ",\"post_processor\":" + postProcessor + ",\"decoder\":" + decoder + ",\"model\":" + model + "}";
    }
}
