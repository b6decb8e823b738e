package dev.samediff.samples.bench.network;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes of a GPT-2-like language model and of the batch it is trained on.
 *
 * @param width size of a token's vector, a multiple of {@code heads}
 * @param layers number of blocks
 * @param heads attention heads per block
 * @param batch texts per step
 * @param length tokens per text
 * @param vocabulary number of tokens
 */
public record Network(int width, int layers, int heads, int batch, int length, int vocabulary) {
    private static final Map<String, Network> NAMED = named();

    /** The networks of the tables: a small one, one of GPT-2's width, and GPT-2 itself. */
    public static final List<Network> STANDARD = List.copyOf(NAMED.values());

    private static final Pattern FORM =
            Pattern.compile("d=(\\d{1,6}) L=(\\d{1,6}) H=(\\d{1,6}) B=(\\d{1,6}) T=(\\d{1,6}) V=(\\d{1,6})");

    public Network {
        if (width < 1 || layers < 1 || heads < 1 || batch < 1 || length < 1 || vocabulary < 2 || width % heads != 0) {
            throw new InvalidInputException("the sizes " + text(width, layers, heads, batch, length, vocabulary)
                    + " make no network: all must be positive, V at least 2, and d a multiple of H");
        }
    }

    /**
     * Reads the name of a standard network ({@code small}, {@code wide}, {@code gpt2}) or what {@link #toString} writes.
     *
     * @throws InvalidInputException if it is neither
     */
    public static Network parse(String text) {
        Network known = NAMED.get(text.strip());
        if (known != null) {
            return known;
        }
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new InvalidInputException("`" + text + "` is no network; expected one of " + NAMED.keySet()
                    + " or the form `" + STANDARD.get(0) + "` (width, layers, heads, batch, length, vocabulary)");
        }
        return new Network(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Integer.parseInt(matcher.group(3)),
                Integer.parseInt(matcher.group(4)),
                Integer.parseInt(matcher.group(5)),
                Integer.parseInt(matcher.group(6)));
    }

    private static Map<String, Network> named() {
        Map<String, Network> named = new LinkedHashMap<>();
        named.put("small", new Network(256, 4, 4, 8, 128, 2000));
        named.put("wide", new Network(768, 4, 12, 4, 128, 2000));
        named.put("gpt2", new Network(768, 12, 12, 4, 256, 50257));
        return named;
    }

    /** Returns the number of tokens in a batch. */
    public int tokens() {
        return batch * length;
    }

    /** Returns a name for files: {@code d256-L4-H4-B8-T128-V2000}. */
    public String fileName() {
        return toString().replace("=", "").replace(' ', '-');
    }

    @Override
    public String toString() {
        return text(width, layers, heads, batch, length, vocabulary);
    }

    private static String text(int width, int layers, int heads, int batch, int length, int vocabulary) {
        return "d=" + width + " L=" + layers + " H=" + heads + " B=" + batch + " T=" + length + " V=" + vocabulary;
    }
}
