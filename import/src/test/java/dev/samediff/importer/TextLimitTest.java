package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** How long a text may be, by how a graph counts the places at which it looks something up in a table of 12 rows. */
class TextLimitTest {
    private static final int ROWS = 12;

    @TempDir
    Path folder;

    /** Tokens [d1,d2], a mask, {@code n} = the number of tokens, {@code range} = 0 to n - 1. */
    private static TinyModel counted() {
        return new TinyModel(17)
                .input("ids", DataType.LONG, -1, -2)
                .input("attention_mask", DataType.LONG, -1, -2)
                .initializer("words", HostTensor.filled(DataType.FLOAT, new long[] {50, 4}, 0.5))
                .initializer("places", HostTensor.filled(DataType.FLOAT, new long[] {ROWS, 4}, 0.25))
                .initializer("zero", whole(0))
                .initializer("one", whole(1))
                .initializer("two", whole(2))
                .initializer("three", whole(3))
                .initializer("five", whole(5))
                .initializer("eleven", whole(11))
                .node("Shape", "ids", "shape")
                .node("Gather", "shape one", "n")
                .node("Range", "zero n one", "range");
    }

    private static HostTensor whole(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    private OptionalLong limit(UnaryOperator<TinyModel> places) {
        TinyModel model = places.apply(counted())
                .node("Gather", "places p", "looked")
                .node("Gather", "words ids", "w")
                .node("ReduceSum", "w", "sum", "keepdims", 0)
                .node("ReduceSum", "looked", "places_sum", "keepdims", 0)
                .node("Add", "sum places_sum", "both")
                .node("Cast", "attention_mask", "m", "to", 1)
                .node("ReduceSum", "m", "masked", "keepdims", 0)
                .node("Add", "both masked", "y")
                .output("y", DataType.FLOAT);
        return OnnxImporter.load(model.write(folder)).longestText();
    }

    @TestFactory
    Stream<DynamicTest> positions_end_where_the_table_does_less_what_is_added_to_them() {
        return Stream.of(
                limited("plain", ROWS, m -> m.node("Identity", "range", "p")),
                limited("an offset of two, as BART and OPT have it", ROWS - 2, m -> m.node("Add", "range two", "p")),
                limited(
                        "an offset before a shape",
                        ROWS - 2,
                        m -> m.node("Unsqueeze", "range zero_axis", "u")
                                .initializer("zero_axis", HostTensor.vector(0))
                                .node("Add", "two u", "p")),
                limited(
                        "counted from one",
                        ROWS - 1,
                        m -> m.node("Add", "n one", "end").node("Range", "one end one", "p")),
                limited(
                        "counted down",
                        ROWS,
                        m -> m.node("Sub", "n one", "last").node("Sub", "last range", "p")),
                limited("every second", (ROWS + 1) / 2, m -> m.node("Mul", "range two", "p")),
                limited(
                        "relative to the first token, with an offset",
                        ROWS - 5,
                        m -> m.node("Unsqueeze", "range axis0", "row")
                                .node("Unsqueeze", "range axis1", "column")
                                .initializer("axis0", HostTensor.vector(0))
                                .initializer("axis1", HostTensor.vector(1))
                                .node("Sub", "row column", "relative")
                                .node("Add", "relative five", "p")),
                limited(
                        "counted from the mask",
                        ROWS,
                        m -> m.node("CumSum", "attention_mask one", "c").node("Sub", "c one", "p")),
                limited(
                        "counted from the mask, times the mask, with an offset, as RoBERTa does",
                        ROWS - 2,
                        m -> m.node("CumSum", "attention_mask one", "c")
                                .node("Mul", "c attention_mask", "cm")
                                .node("Add", "cm one", "p")),
                limited(
                        "hidden places set to one, as in transformers",
                        ROWS,
                        m -> m.node("CumSum", "attention_mask one", "c")
                                .node("Sub", "c one", "before")
                                .node("Equal", "attention_mask zero", "hidden")
                                .node("Where", "hidden one before", "p")),
                limited(
                        "counted from tokens that are no padding",
                        ROWS - 1,
                        m -> m.node("Equal", "ids one", "pad")
                                .node("Not", "pad", "real")
                                .node("Cast", "real", "r", "to", 7)
                                .node("CumSum", "r one", "p")));
    }

    @TestFactory
    Stream<DynamicTest> clamped_numbers_and_buckets_are_no_positions() {
        return Stream.of(
                unlimited("Min", m -> m.node("Min", "range eleven", "p")),
                unlimited("Clip", m -> m.node("Clip", "range zero eleven", "p")),
                unlimited(
                        "Max and Min of what is relative",
                        m -> m.node("Unsqueeze", "range axis0", "row")
                                .node("Unsqueeze", "range axis1", "column")
                                .initializer("axis0", HostTensor.vector(0))
                                .initializer("axis1", HostTensor.vector(1))
                                .node("Sub", "row column", "relative")
                                .node("Max", "relative zero", "least")
                                .node("Min", "least eleven", "p")),
                unlimited(
                        "Where with the limit",
                        m -> m.node("Less", "range eleven", "near").node("Where", "near range eleven", "p")),
                unlimited(
                        "Where, the other way round",
                        m -> m.node("GreaterOrEqual", "range eleven", "far").node("Where", "far eleven range", "p")),
                unlimited("the remainder of a division", m -> m.node("Mod", "range eleven", "p")),
                unlimited("buckets of distances, as T5 has them", TextLimitTest::buckets),
                unlimited(
                        "truth values",
                        m -> m.node("Greater", "range three", "b").node("Cast", "b", "p", "to", 7)),
                unlimited("token ids", m -> m.node("Identity", "ids", "p")));
    }

    /** {@code where(d < 5, d, min(5 + log(d / 5) * 2, 11))}. */
    private static TinyModel buckets(TinyModel model) {
        return model.initializer("reals5", HostTensor.filled(DataType.FLOAT, new long[0], 5))
                .initializer("reals2", HostTensor.filled(DataType.FLOAT, new long[0], 2))
                .node("Less", "range five", "near")
                .node("Cast", "range", "d", "to", 1)
                .node("Div", "d reals5", "ratio")
                .node("Log", "ratio", "log")
                .node("Mul", "log reals2", "scaled")
                .node("Cast", "scaled", "steps", "to", 7)
                .node("Add", "steps five", "far")
                .node("Min", "far eleven", "bounded")
                .node("Where", "near range bounded", "p");
    }

    private DynamicTest limited(String name, long expected, UnaryOperator<TinyModel> places) {
        return DynamicTest.dynamicTest(name, () -> assertThat(limit(places)).hasValue(expected));
    }

    private DynamicTest unlimited(String name, UnaryOperator<TinyModel> places) {
        return DynamicTest.dynamicTest(name, () -> assertThat(limit(places)).isEmpty());
    }

    @Test
    void a_table_that_is_cut_where_the_text_ends_counts_with_what_is_added() {
        TinyModel model = counted()
                .initializer("axis0", HostTensor.vector(0))
                .initializer("start", HostTensor.vector(2))
                .node("Add", "n two", "end")
                .node("Unsqueeze", "end axis0", "ends")
                .node("Slice", "places start ends axis0", "cut")
                .node("Gather", "words ids", "w")
                .node("Add", "w cut", "sum")
                .node("Cast", "attention_mask", "m", "to", 1)
                .node("ReduceSum", "m", "masked", "keepdims", 0)
                .node("Add", "sum masked", "y")
                .output("y", DataType.FLOAT, -1, -2, 4);
        assertThat(OnnxImporter.load(model.write(folder)).longestText()).hasValue(ROWS - 2);
    }
}
