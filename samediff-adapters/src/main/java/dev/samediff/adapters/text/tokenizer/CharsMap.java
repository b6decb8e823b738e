package dev.samediff.adapters.text.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;

/**
 * The map of a normalizer {@code Precompiled}, SentencePiece's: the length of a double-array trie in bytes, the trie (32 bits a unit,
 * little endian), then the replacements, each ended by a zero byte. The library follows it without a check of any index.
 */
final class CharsMap {
    private CharsMap() {}

    /** Says what is wrong with a map; nothing if no text leads the library out of it. */
    static String fault(String base64) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            return "is not base64";
        }
        ByteBuffer map = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long trie = bytes.length < 4 ? 0 : Integer.toUnsignedLong(map.getInt());
        if (trie < 4 || trie % 4 != 0 || trie > bytes.length - 4) {
            return "is no map: it has " + bytes.length + " bytes and says that its trie has " + trie;
        }
        int[] units = new int[(int) (trie / 4)];
        for (int i = 0; i < units.length; i++) {
            units[i] = map.getInt();
        }
        byte[] texts = new byte[map.remaining()];
        map.get(texts);
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
        } catch (CharacterCodingException e) {
            return "has replacements that are not UTF-8";
        }
        return follow(units, texts);
    }

    /** Goes to every place that any text leads to. */
    private static String follow(int[] units, byte[] texts) {
        BitSet seen = new BitSet(units.length);
        Deque<Integer> open = new ArrayDeque<>();
        open.push(offset(units[0]));
        while (!open.isEmpty()) {
            int node = open.pop();
            for (int label = 1; label < 256; label++) {
                int place = node ^ label;
                if (place < 0 || place >= units.length) {
                    return "leads out of its trie";
                }
                if (label(units[place]) != label || seen.get(place)) {
                    continue;
                }
                seen.set(place);
                int next = place ^ offset(units[place]);
                if ((units[place] >>> 8 & 1) == 1) {
                    if (next < 0 || next >= units.length) {
                        return "leads out of its trie";
                    }
                    int text = units[next] & 0x7fffffff;
                    if (text > texts.length || (text < texts.length && (texts[text] & 0xC0) == 0x80)) {
                        return "leads out of its replacements";
                    }
                }
                open.push(next);
            }
        }
        return "";
    }

    private static int label(int unit) {
        return unit & 0x800000FF;
    }

    private static int offset(int unit) {
        return (unit >>> 10) << ((unit & 0x200) >>> 6);
    }
}
