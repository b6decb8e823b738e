package dev.samediff.adapters.graph;

import dev.samediff.adapters.graph.PatternProgram.Instruction;
import dev.samediff.adapters.graph.PatternProgram.Part;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;

/**
 * Compares one text with a program: tries one way after another, but no pair of instruction and place twice, so that the work is at most
 * their product. Expressions that refer to the text of a group cannot have this, and end with {@link TooMuch}.
 */
final class PatternRun {
    /** Steps of one comparison. */
    static final int BUDGET = 2_000_000;

    private static final long MOST_PAIRS = 1L << 24;

    private final int[] text;
    /** Start and end of each group; -1 where it has matched nothing. */
    private final int[] marks;

    private int steps;

    /** The budget is used up. */
    static final class TooMuch extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** Where to go on if what is tried first fails; with a mark to be put back, nothing is tried. */
    private record Later(int instruction, int place, int mark, int value) {}

    PatternRun(String text, int groups) {
        this.text = text.codePoints().toArray();
        this.marks = new int[2 * (groups + 1)];
        Arrays.fill(marks, -1);
    }

    boolean matchesAll(PatternProgram program) throws TooMuch {
        return run(program, 0, text.length) >= 0;
    }

    boolean matchesBeginning(PatternProgram program) throws TooMuch {
        return run(program, 0, -1) >= 0;
    }

    /** The text of a group; empty if it has matched nothing. */
    String group(int index) {
        int start = marks[2 * index];
        return start < 0 ? "" : new String(text, start, marks[2 * index + 1] - start);
    }

    /** Returns where the match ends that begins at a place; -1 if there is none. It must end at {@code end} unless that is -1. */
    private int run(PatternProgram program, int start, int end) throws TooMuch {
        int columns = text.length + 1;
        if ((long) program.instructions().size() * columns > MOST_PAIRS) {
            throw new TooMuch();
        }
        BitSet tried = new BitSet();
        Deque<Later> later = new ArrayDeque<>();
        later.push(new Later(0, start, -1, 0));
        while (!later.isEmpty()) {
            Later next = later.pop();
            if (next.mark >= 0) {
                marks[next.mark] = next.value;
                continue;
            }
            int at = next.instruction;
            int place = next.place;
            while (at >= 0) {
                if (++steps > BUDGET) {
                    throw new TooMuch();
                }
                if (!program.remembers()) {
                    int pair = at * columns + place;
                    if (tried.get(pair)) {
                        break;
                    }
                    tried.set(pair);
                }
                Instruction instruction = program.instructions().get(at);
                at++;
                switch (instruction.kind()) {
                    case ONE -> at = place < text.length && instruction.accepts(text[place++]) ? at : -1;
                    case JUMP -> at = instruction.to();
                    case SPLIT -> {
                        later.push(new Later(instruction.or(), place, -1, 0));
                        at = instruction.to();
                    }
                    case MARK -> {
                        later.push(new Later(0, 0, instruction.to(), marks[instruction.to()]));
                        marks[instruction.to()] = place;
                    }
                    case BACK -> {
                        place = repeated(instruction, place);
                        at = place < 0 ? -1 : at;
                    }
                    case PLACE -> at = holds(instruction.place(), place) ? at : -1;
                    case LOOK ->
                        at = seen(instruction.part(), place)
                                        == instruction.part().wanted()
                                ? at
                                : -1;
                    case ATOMIC -> {
                        place = run(instruction.part().program(), place, -1);
                        at = place < 0 ? -1 : at;
                    }
                    case MATCH -> {
                        if (end < 0 || place == end) {
                            return place;
                        }
                        at = -1;
                    }
                }
            }
        }
        return -1;
    }

    private boolean seen(Part part, int place) throws TooMuch {
        if (part.ahead()) {
            return run(part.program(), place, -1) >= 0;
        }
        for (int start = place; start >= 0; start--) {
            if (run(part.program(), start, place) >= 0) {
                return true;
            }
        }
        return false;
    }

    private int repeated(Instruction instruction, int place) throws TooMuch {
        int start = marks[2 * instruction.to()];
        int length = marks[2 * instruction.to() + 1] - start;
        if (start < 0 || length < 0 || place + length > text.length) {
            return -1;
        }
        steps += length;
        for (int i = 0; i < length; i++) {
            int one = text[start + i];
            int other = text[place + i];
            if (one != other && (instruction.or() == 0 || Character.toLowerCase(one) != Character.toLowerCase(other))) {
                return -1;
            }
        }
        return place + length;
    }

    private boolean holds(PatternNode.Place condition, int place) {
        boolean last = place == text.length;
        return switch (condition) {
            case START -> place == 0;
            case END -> last;
            case END_OR_LAST_NEWLINE -> last || (place == text.length - 1 && text[place] == '\n');
            case LINE_START -> place == 0 || text[place - 1] == '\n';
            case LINE_END -> last || text[place] == '\n';
            case WORD_EDGE -> isWord(place - 1) != isWord(place);
            case NO_WORD_EDGE -> isWord(place - 1) == isWord(place);
        };
    }

    private boolean isWord(int place) {
        return place >= 0 && place < text.length && PatternSets.isWord(text[place]);
    }
}
