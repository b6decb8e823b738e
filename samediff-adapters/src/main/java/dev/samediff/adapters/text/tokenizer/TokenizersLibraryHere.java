package dev.samediff.adapters.text.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/** The tokenizers library in this process. */
final class TokenizersLibraryHere implements NativeTokenizer {
    private static final Map<String, String> PLAIN = Map.of(
            "addSpecialTokens",
            "false",
            "truncation",
            "do_not_truncate",
            "padding",
            "do_not_pad",
            "modelMaxLength",
            "0");

    private final HuggingFaceTokenizer tokenizer;

    private TokenizersLibraryHere(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    static NativeTokenizer open(byte[] json) throws IOException {
        return new TokenizersLibraryHere(
                DjlOffline.call(() -> HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), PLAIN)));
    }

    /** DJL's own encode copies tokens and character spans as well, object by object; only the ids are wanted here. */
    @Override
    public int[] encode(String text, boolean framed) {
        TokenizersLibrary library = TokenizersLibrary.LIB;
        long encoding = library.encode(tokenizer.getHandle(), text, framed);
        try {
            long[] ids = library.getTokenIds(encoding);
            int[] result = new int[ids.length];
            for (int i = 0; i < result.length; i++) {
                result[i] = (int) ids[i];
            }
            return result;
        } finally {
            library.deleteEncoding(encoding);
        }
    }

    @Override
    public String decode(int[] ids) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = ids[i];
        }
        return tokenizer.decode(wide, true);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
