package dev.samediff.adapters.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A regular expression as instructions for {@link PatternRun}. Repetitions are written out, so that an instruction and a place in the
 * text are all that decides whether the rest matches.
 *
 * @param instructions it starts with the first
 * @param remembers whether what follows depends on the text of a group, too
 */
record PatternProgram(List<Instruction> instructions, boolean remembers) {
    /** Longer programs are refused: repetitions within repetitions grow fast. */
    static final int LONGEST = 20_000;

    /** What an instruction does. */
    enum Kind {
        ONE,
        SPLIT,
        JUMP,
        MARK,
        BACK,
        PLACE,
        LOOK,
        ATOMIC,
        MATCH
    }

    /**
     * An instruction.
     *
     * @param to where to go, of two places the one to try first; a mark or a group
     * @param or where to go if that does not lead to a match
     */
    record Instruction(Kind kind, int to, int or, Object detail) {
        boolean accepts(int character) {
            return ((IntPredicate) detail).test(character);
        }

        PatternNode.Place place() {
            return (PatternNode.Place) detail;
        }

        Part part() {
            return (Part) detail;
        }
    }

    /** A program within another, and what is asked of it. */
    record Part(PatternProgram program, boolean ahead, boolean wanted) {}

    /** An expression whose program would be too long. */
    static final class TooLong extends Exception {
        private static final long serialVersionUID = 1L;
    }

    static PatternProgram of(PatternNode node) throws TooLong {
        return new Writer(new int[1]).finish(node);
    }

    /** Writes a program. */
    static final class Writer {
        private final List<Instruction> instructions = new ArrayList<>();
        /** Instructions and rounds of all programs of the expression. */
        private final int[] total;

        private boolean remembers;

        private Writer(int[] total) {
            this.total = total;
        }

        private PatternProgram finish(PatternNode node) throws TooLong {
            node.write(this);
            add(Kind.MATCH, 0, 0, "");
            return new PatternProgram(List.copyOf(instructions), remembers);
        }

        PatternProgram inner(PatternNode node) throws TooLong {
            PatternProgram inner = new Writer(total).finish(node);
            remembers |= inner.remembers;
            return inner;
        }

        /** Appends an instruction and returns its place. */
        int add(Kind kind, int to, int or, Object detail) throws TooLong {
            round();
            instructions.add(new Instruction(kind, to, or, detail));
            return instructions.size() - 1;
        }

        /** Counts a repetition that may have no instruction. */
        void round() throws TooLong {
            if (++total[0] > LONGEST) {
                throw new TooLong();
            }
        }

        /** Where the next instruction will stand. */
        int next() {
            return instructions.size();
        }

        /** Points the first or the second way of an instruction somewhere. */
        void point(int at, boolean first, int target) {
            Instruction old = instructions.get(at);
            instructions.set(
                    at, new Instruction(old.kind, first ? target : old.to, first ? old.or : target, old.detail));
        }

        void remember() {
            remembers = true;
        }
    }
}
