package dev.samediff.samples.intents;

import dev.samediff.adapters.text.jsonl.LabelledText;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Sentences of a made-up library's help desk, generated from the ways of asking in {@code intents.txt}: an opening, a way of
 * asking with its words filled in, a closing. Some ways of asking, the last of each intent, occur in the test data only.
 */
public final class GeneratedIntents {
    private static final String FILE = "intents.txt";
    private static final String[] OPENINGS = {
        "",
        "hello, ",
        "hi there, ",
        "excuse me, ",
        "good morning, ",
        "quick question: ",
        "please help, ",
        "sorry to bother you, "
    };
    private static final String[] CLOSINGS = {
        "", "?", " please", ", thanks", " as soon as possible", " if that is possible"
    };
    private static final String[] ITEMS = {
        "book", "novel", "magazine", "film", "atlas", "audio book", "comic", "dictionary", "travel guide", "journal"
    };
    private static final String[] TIMES = {
        "today", "tomorrow", "on monday", "this week", "at noon", "next month", "on sunday"
    };

    private GeneratedIntents() {}

    /**
     * Generates sentences.
     *
     * @param perIntent sentences to learn from, per intent; a third as many are made to measure by
     * @param seed seed of all choices
     */
    public static IntentData generate(int perIntent, long seed) {
        Map<String, List<String>> ways = ways();
        List<String> classes = List.copyOf(ways.keySet());
        Random random = new Random(seed);
        List<LabelledText> train = new ArrayList<>();
        List<LabelledText> test = new ArrayList<>();
        for (int label = 0; label < classes.size(); label++) {
            List<String> ofIntent = ways.getOrDefault(classes.get(label), List.of());
            Set<String> known = sentences(ofIntent.subList(0, ofIntent.size() - 1), perIntent, random);
            Set<String> held = sentences(ofIntent, perIntent / 3, random);
            held.removeAll(known);
            for (String text : known) {
                train.add(new LabelledText(text, label));
            }
            for (String text : held) {
                test.add(new LabelledText(text, label));
            }
        }
        return new IntentData("generated", classes, train, test);
    }

    private static Set<String> sentences(List<String> ways, int count, Random random) {
        Set<String> sentences = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            String way = pick(ways.toArray(String[]::new), random)
                    .replace("{item}", pick(ITEMS, random))
                    .replace("{time}", pick(TIMES, random));
            sentences.add(pick(OPENINGS, random) + way + pick(CLOSINGS, random));
        }
        return sentences;
    }

    private static String pick(String[] choices, Random random) {
        return choices[random.nextInt(choices.length)];
    }

    /** Lines of {@code intent: way | way | ...}. */
    private static Map<String, List<String>> ways() {
        Map<String, List<String>> ways = new LinkedHashMap<>();
        try (InputStream in = GeneratedIntents.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + FILE + " is missing");
            }
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .lines()
                    .filter(line -> !line.isBlank())
                    .forEach(line -> {
                        int colon = line.indexOf(':');
                        ways.put(
                                line.substring(0, colon),
                                List.of(line.substring(colon + 1).strip().split(" *\\| *")));
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ways;
    }
}
