package dev.samediff.adapters.graph;

import dev.samediff.adapters.graph.PatternProgram.Kind;
import dev.samediff.adapters.graph.PatternProgram.Part;
import dev.samediff.adapters.graph.PatternProgram.TooLong;
import dev.samediff.adapters.graph.PatternProgram.Writer;
import java.util.List;
import java.util.function.IntPredicate;

/** A regular expression as a tree; each node knows its instructions. */
interface PatternNode {
    /** Writes instructions that go on behind themselves when this has matched. */
    void write(Writer out) throws TooLong;

    /** One character of a kind. */
    record One(IntPredicate accepts) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            out.add(Kind.ONE, 0, 0, accepts);
        }
    }

    /** One after another; none of them matches the empty text. */
    record Sequence(List<PatternNode> parts) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            for (PatternNode part : parts) {
                part.write(out);
            }
        }
    }

    /** The first of these that leads to a match. */
    record Choice(List<PatternNode> branches) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            int[] ends = new int[branches.size() - 1];
            for (int i = 0; i < ends.length; i++) {
                int split = out.add(Kind.SPLIT, out.next() + 1, 0, "");
                branches.get(i).write(out);
                ends[i] = out.add(Kind.JUMP, 0, 0, "");
                out.point(split, false, out.next());
            }
            branches.get(ends.length).write(out);
            for (int end : ends) {
                out.point(end, true, out.next());
            }
        }
    }

    /**
     * The same again.
     *
     * @param max the most repetitions; -1 if there is no limit
     * @param lazy whether few are tried before many
     */
    record Repeat(PatternNode body, int min, int max, boolean lazy) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            for (int i = 0; i < min; i++) {
                out.round();
                body.write(out);
            }
            if (max < 0) {
                int split = out.add(Kind.SPLIT, 0, 0, "");
                out.point(split, !lazy, out.next());
                body.write(out);
                out.add(Kind.JUMP, split, 0, "");
                out.point(split, lazy, out.next());
                return;
            }
            int optional = max - min;
            int[] splits = new int[Math.min(optional, PatternProgram.LONGEST)];
            for (int i = 0; i < optional; i++) {
                splits[i] = out.add(Kind.SPLIT, 0, 0, "");
                out.point(splits[i], !lazy, out.next());
                body.write(out);
            }
            for (int split : splits) {
                out.point(split, lazy, out.next());
            }
        }
    }

    /** A part whose text is remembered. */
    record Group(PatternNode body, int index) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            out.add(Kind.MARK, 2 * index, 0, "");
            body.write(out);
            out.add(Kind.MARK, 2 * index + 1, 0, "");
        }
    }

    /** The text of a group once more. */
    record Back(int group, boolean ignoreCase) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            out.remember();
            out.add(Kind.BACK, group, ignoreCase ? 1 : 0, "");
        }
    }

    /** A part that must, or must not, stand here or end here, and is not used up. */
    record Look(PatternNode body, boolean ahead, boolean wanted) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            out.add(Kind.LOOK, 0, 0, new Part(out.inner(body), ahead, wanted));
        }
    }

    /** A part whose first match is kept, whatever follows. */
    record Atomic(PatternNode body) implements PatternNode {
        @Override
        public void write(Writer out) throws TooLong {
            out.add(Kind.ATOMIC, 0, 0, new Part(out.inner(body), true, true));
        }
    }

    /** A condition on a place between characters. */
    enum Place implements PatternNode {
        START,
        END,
        END_OR_LAST_NEWLINE,
        LINE_START,
        LINE_END,
        WORD_EDGE,
        NO_WORD_EDGE;

        @Override
        public void write(Writer out) throws TooLong {
            out.add(Kind.PLACE, 0, 0, this);
        }
    }
}
