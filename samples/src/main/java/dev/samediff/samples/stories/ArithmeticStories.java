package dev.samediff.samples.stories;

import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * A seeded generator of short arithmetic stories: the text on which the bundled model was pre-trained and is adapted.
 *
 * <p>The same arguments give the same stories on every JVM. It is also a program:
 * {@code java ArithmeticStories.java pretrain|shifted COUNT SEED [train|eval]} prints one JSON object per line.
 */
public final class ArithmeticStories {

    private static final List<String> NAMES = List.of(
            "Tom", "Ann", "Ben", "Eva", "Sam", "Lily", "Max", "Nora", "Paul", "Ruth", "Dan", "Kate", "Hugo", "Ida",
            "Jack", "Zoe");
    private static final List<String> THINGS = List.of(
            "apples", "pens", "books", "coins", "shells", "cards", "stamps", "nuts", "eggs", "cups", "kites", "balls",
            "keys", "figs", "jars", "toys");

    private ArithmeticStories() {}

    /** A kind of text, with its own phrasing, operations and form of the answer. */
    public enum Distribution {
        /** Additions and subtractions; a response is {@code 7+5=12. Answer: 12}. */
        PRETRAIN(", ", ". ", "Answer: "),
        /** Other phrasing and operations; a response is a line per step and then GSM8K's {@code #### 12}. */
        SHIFTED("\n", "\n", "#### ");

        private final String betweenSteps;
        private final String beforeMark;
        private final String mark;

        Distribution(String betweenSteps, String beforeMark, String mark) {
            this.betweenSteps = betweenSteps;
            this.beforeMark = beforeMark;
            this.mark = mark;
        }

        /** Whether a response ends in the expected number behind this distribution's mark. */
        public boolean isExactMatch(String response, Story expected) {
            String answer = answerOf(expected.response());
            return answerOf(response).equals(answer) && response.contains(mark + answer);
        }
    }

    /** Disjoint parts of the space of stories: a hash of the prompt sends one story in ten to the evaluation. */
    public enum Split {
        TRAIN,
        EVAL;

        private static final int PARTS = 10;

        static Split of(Story story) {
            int mixed = story.prompt().hashCode() * 0x9E3779B9;
            return (mixed >>> 16) % PARTS == 0 ? EVAL : TRAIN;
        }
    }

    /**
     * One problem.
     *
     * @param prompt the story and its question, with the newline that separates it from the response
     * @param response the working and the answer
     */
    public record Story(String prompt, String response) {

        /** Returns {@code {"prompt": ..., "response": ...}} on one line. */
        public String toJson() {
            return "{\"prompt\": \"" + escape(prompt) + "\", \"response\": \"" + escape(response) + "\"}";
        }

        private static String escape(String text) {
            return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        }
    }

    /**
     * Returns {@code count} different stories of one split.
     *
     * @throws IllegalArgumentException if the split is too small to draw that many different stories
     */
    public static List<Story> generate(Distribution distribution, Split split, int count, long seed) {
        long most = size(distribution) / (2 * Split.PARTS);
        if (count < 0 || count > most) {
            throw new IllegalArgumentException(
                    "count " + count + " is outside 0.." + most + ", what " + distribution + " can give");
        }
        List<Problem> problems = Problem.of(distribution);
        Random random = new Random(seed);
        Set<Story> stories = new LinkedHashSet<>();
        while (stories.size() < count) {
            Story story = pick(problems, random).tell(random);
            if (Split.of(story) == split) {
                stories.add(story);
            }
        }
        return List.copyOf(stories);
    }

    /** Returns {@code count} different stories for training. */
    public static List<Story> generate(Distribution distribution, int count, long seed) {
        return generate(distribution, Split.TRAIN, count, seed);
    }

    /** Returns how many different stories a distribution has, both splits together. */
    public static long size(Distribution distribution) {
        return Problem.of(distribution).stream().mapToLong(Problem::size).sum();
    }

    /** Returns the rest of the line after the last {@code "#### "} or {@code "Answer: "}; empty if there is neither. */
    public static String answerOf(String text) {
        int start = -1;
        for (Distribution distribution : Distribution.values()) {
            int found = text.lastIndexOf(distribution.mark);
            start = found < 0 ? start : Math.max(start, found + distribution.mark.length());
        }
        return start < 0 ? "" : text.substring(start).lines().findFirst().orElse("");
    }

    /** Prints stories as JSON lines; the class comment shows the arguments. */
    public static void main(String[] arguments) {
        if (arguments.length < 3 || arguments.length > 4) {
            throw new IllegalArgumentException(
                    "expected pretrain|shifted COUNT SEED [train|eval], not " + String.join(" ", arguments));
        }
        Distribution distribution = Distribution.valueOf(arguments[0].toUpperCase(Locale.ROOT));
        int count = Integer.parseInt(arguments[1]);
        long seed = Long.parseLong(arguments[2]);
        Split split = arguments.length == 4 ? Split.valueOf(arguments[3].toUpperCase(Locale.ROOT)) : Split.TRAIN;
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        generate(distribution, split, count, seed).forEach(story -> out.print(story.toJson() + "\n"));
        out.flush();
    }

    private static <T> T pick(List<T> choices, Random random) {
        return choices.get(random.nextInt(choices.size()));
    }

    /** A chain of operations, the ranges of its numbers, and the sentences that ask for its result. */
    private enum Problem {
        ADD(
                Distribution.PRETRAIN,
                "+",
                new int[][] {{2, 40}, {2, 20}},
                "{name} has {a} {things}. {name} finds {b} more. How many {things} now?",
                "There are {a} {things} in a box. {name} adds {b}. How many are there?",
                "{name} had {a} {things} and got {b} from {other}. How many now?",
                "{name} buys {a} {things} and {other} buys {b}. How many in all?",
                "{a} {things} lie on the table, {b} on the floor. How many in all?"),
        SUBTRACT(
                Distribution.PRETRAIN,
                "-",
                new int[][] {{5, 40}, {2, 20}},
                "{name} has {a} {things}. {name} loses {b}. How many are left?",
                "There were {a} {things} in a box. {name} took {b}. How many are left?",
                "{name} had {a} {things} and gave {b} to {other}. How many now?",
                "{name} made {a} {things} and sold {b} of them. How many are left?"),
        ADD_ADD(
                Distribution.PRETRAIN,
                "++",
                new int[][] {{2, 25}, {2, 12}, {2, 12}},
                "{name} has {a} {things}. {name} finds {b}, then {c} more. How many now?",
                "{name} had {a} {things}, got {b} from {other} and {c} more. How many now?"),
        ADD_SUBTRACT(
                Distribution.PRETRAIN,
                "+-",
                new int[][] {{2, 25}, {2, 12}, {2, 12}},
                "{name} has {a} {things}. {name} gets {b} and loses {c}. How many now?",
                "{name} had {a} {things}, bought {b} and gave {c} away. How many now?"),
        SUBTRACT_ADD(
                Distribution.PRETRAIN,
                "-+",
                new int[][] {{5, 40}, {2, 12}, {2, 12}},
                "{name} has {a} {things}. {name} loses {b} and gets {c}. How many now?",
                "{name} had {a} {things}, sold {b} and made {c}. How many now?"),
        TWICE(
                Distribution.SHIFTED,
                "*",
                new int[][] {{3, 25}, {2, 2}},
                "A box holds {a} {things}. Find the {things} in {b} boxes of {name}.",
                "{name}'s bag of {things} costs ${a}. Find the price of {b} bags.",
                "{other} owns {a} {things}, {name} {b} times that. Find {name}'s number."),
        HALF(
                Distribution.SHIFTED,
                "/",
                new int[][] {{4, 50}, {2, 2}},
                "{name} shares {a} {things} equally among {b} kids. Find a kid's share.",
                "{name} and {other} split ${a} for {things} by {b}. Find a share.",
                "{name} packs {a} {things} into {b} equal boxes. Find a box's load."),
        DIFFERENCE(
                Distribution.SHIFTED,
                "-",
                new int[][] {{12, 40}, {3, 20}},
                "{name} counted {a} {things}, {other} only {b}. Find {name}'s lead.",
                "At {name}'s shop {things} cost ${a}, at {other}'s ${b}. Find the gap."),
        TOTAL_OF_THREE(
                Distribution.SHIFTED,
                "++",
                new int[][] {{2, 20}, {2, 12}, {2, 12}},
                "{name}'s {things} by day: {a}, {b}, {c}. Find the total.",
                "{name} paid ${a}, ${b} and ${c} for {things}. Find the bill."),
        TWICE_AND_MORE(
                Distribution.SHIFTED,
                "*+",
                new int[][] {{3, 20}, {2, 2}, {2, 12}},
                "{name} fills {b} bags with {a} {things} each; {c} stay out. Find the total.",
                "{name} earns ${a} a day. Find the pay for {b} days and a tip of ${c}.");

        private static final int LARGEST_RESULT = 99;

        private final Distribution distribution;
        private final String operators;
        private final List<String> sentences;
        private final List<int[]> numbers = new ArrayList<>();

        Problem(Distribution distribution, String operators, int[][] ranges, String... sentences) {
            this.distribution = distribution;
            this.operators = operators;
            this.sentences = List.of(sentences);
            collectNumbers(ranges, new int[0], 0);
        }

        static List<Problem> of(Distribution distribution) {
            return Arrays.stream(values())
                    .filter(problem -> problem.distribution == distribution)
                    .toList();
        }

        long size() {
            return numbers.size()
                    * sentences.stream().mapToLong(Problem::fillings).sum();
        }

        Story tell(Random random) {
            int[] chosen = pick(numbers, random);
            int name = random.nextInt(NAMES.size());
            int other = (name + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
            String prompt = pick(sentences, random)
                    .replace("{name}", NAMES.get(name))
                    .replace("{other}", NAMES.get(other))
                    .replace("{things}", pick(THINGS, random));
            for (int i = 0; i < chosen.length; i++) {
                prompt = prompt.replace("{" + (char) ('a' + i) + "}", Integer.toString(chosen[i]));
            }
            return new Story(prompt + "\n", response(chosen));
        }

        private String response(int[] chosen) {
            List<String> steps = new ArrayList<>();
            int value = chosen[0];
            for (int i = 1; i < chosen.length; i++) {
                int result = apply(operators.charAt(i - 1), value, chosen[i]);
                steps.add("" + value + operators.charAt(i - 1) + chosen[i] + "=" + result);
                value = result;
            }
            return String.join(distribution.betweenSteps, steps) + distribution.beforeMark + distribution.mark + value;
        }

        /** Extends the choice by every number of the next range that keeps the running result whole and in 1..99. */
        private void collectNumbers(int[][] ranges, int[] chosen, int value) {
            int depth = chosen.length;
            if (depth == ranges.length) {
                numbers.add(chosen);
                return;
            }
            for (int next = ranges[depth][0]; next <= ranges[depth][1]; next++) {
                int result = depth == 0 ? next : apply(operators.charAt(depth - 1), value, next);
                if (result >= 1 && result <= LARGEST_RESULT) {
                    int[] longer = Arrays.copyOf(chosen, depth + 1);
                    longer[depth] = next;
                    collectNumbers(ranges, longer, result);
                }
            }
        }

        /** Returns the result, or 0 for a division with a remainder. */
        private static int apply(char operator, int left, int right) {
            return switch (operator) {
                case '+' -> left + right;
                case '-' -> left - right;
                case '*' -> left * right;
                case '/' -> left % right == 0 ? left / right : 0;
                default -> throw new IllegalArgumentException("operator " + operator + " is none of +-*/");
            };
        }

        private static long fillings(String sentence) {
            long names = sentence.contains("{name}") ? NAMES.size() : 1;
            long others = sentence.contains("{other}") ? NAMES.size() - 1 : 1;
            long things = sentence.contains("{things}") ? THINGS.size() : 1;
            return names * others * things;
        }
    }
}
