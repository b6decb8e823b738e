package dev.samediff.adapters.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class CharsMapTest {
    /** A map of one rule, {@code a} becomes {@code b}: the root leads to unit 256 ^ 'a', and that to the value in unit 512. */
    static String map() {
        return map(1024, 0, "b\0");
    }

    private static String map(int units, int value, String replacements) {
        byte[] texts = replacements.getBytes(StandardCharsets.UTF_8);
        ByteBuffer map = ByteBuffer.allocate(4 + 4 * units + texts.length).order(ByteOrder.LITTLE_ENDIAN);
        map.putInt(4 * units);
        int a = 256 ^ 'a';
        for (int i = 0; i < units; i++) {
            int unit = i == 0 ? 256 << 10 : i == a ? 'a' | 1 << 8 | (a ^ 512) << 10 : i == 512 ? 1 << 31 | value : 0;
            map.putInt(unit);
        }
        map.put(texts);
        return Base64.getEncoder().encodeToString(map.array());
    }

    @Test
    void a_map_that_no_text_leads_out_of_has_no_fault() {
        assertThat(CharsMap.fault(map())).isEmpty();
    }

    @Test
    void maps_that_lead_elsewhere_have() {
        assertThat(CharsMap.fault(map(512, 0, "b\0"))).contains("out of its trie");
        assertThat(CharsMap.fault(map(256, 0, "b\0"))).contains("out of its trie");
        assertThat(CharsMap.fault(map(1024, 3, "b\0"))).contains("out of its replacements");
        assertThat(CharsMap.fault(map(1024, 1, "\u00e9\0"))).contains("out of its replacements");
        assertThat(CharsMap.fault("")).contains("is no map");
        assertThat(CharsMap.fault("AAAA")).contains("is no map");
        assertThat(CharsMap.fault("no base64!")).contains("base64");
        assertThat(CharsMap.fault(Base64.getEncoder().encodeToString(new byte[] {4, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff})))
                .contains("UTF-8");
    }
}
