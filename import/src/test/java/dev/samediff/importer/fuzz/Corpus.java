package dev.samediff.importer.fuzz;

import dev.samediff.importer.TinyModel;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.random.RandomGraphs;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.SparseTensorProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.buffer.DataType;

/** Valid files, most of them small, that mutations start from. */
final class Corpus {
    static final String DATA = "weights.data";
    private static final int RANDOM_GRAPHS = 60;
    private static final int FIXTURES_IN = 20;

    private final List<Base> small = new ArrayList<>();
    private final List<Base> fixtures = new ArrayList<>();

    /** A valid file. */
    record Base(String name, byte[] bytes) {}

    Corpus() throws IOException {
        for (long seed = 0; seed < RANDOM_GRAPHS; seed++) {
            add("random graph " + seed, RandomGraphs.of(seed).model().proto());
        }
        add("branches", branches());
        add("functions", functions());
        add("sparse", sparse());
        add("external data", external());
        add("sizes", sizes());
        add("masks", masks());
        for (Fixture fixture : Fixture.all()) {
            fixtures.add(new Base(fixture.name(), Files.readAllBytes(fixture.onnx())));
        }
    }

    private void add(String name, ModelProto model) {
        small.add(new Base(name, model.toByteArray()));
    }

    /** Writes what the external data file holds. */
    static void writeData(Path folder) throws IOException {
        Files.write(folder.resolve(DATA), new byte[64]);
    }

    /** A file at random; few of the large ones, because they take most of the time. */
    Base pick(Random random) {
        List<Base> from = random.nextInt(FIXTURES_IN) == 0 ? fixtures : small;
        // the last ones of the small are the special ones
        int index = random.nextInt(4) == 0 ? from.size() - 1 - random.nextInt(6) : random.nextInt(from.size());
        return from.get(index);
    }

    List<Base> all() {
        List<Base> all = new ArrayList<>(small);
        all.addAll(fixtures);
        return all;
    }

    private static HostTensor numbers(long... shape) {
        return HostTensor.filled(DataType.FLOAT, shape, 0.5);
    }

    private static ModelProto branches() {
        TinyModel yes = new TinyModel(17).node("Mul", "x w", "a").output("a", DataType.FLOAT, -1, 4);
        TinyModel no = new TinyModel(17).node("Add", "x w", "b").output("b", DataType.FLOAT, -1, 4);
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("w", numbers(4))
                .node("Shape", "x", "s")
                .node("Size", "s", "n")
                .node("Constant", "", "two", "value_int", 2)
                .node("Equal", "n two", "c")
                .node("If", "c", "y", "then_branch", yes, "else_branch", no)
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
    }

    private static ModelProto functions() {
        NodeProto body = NodeProto.newBuilder()
                .setOpType("LeakyRelu")
                .addInput("v")
                .addOutput("r")
                .addAttribute(AttributeProto.newBuilder()
                        .setName("alpha")
                        .setType(AttributeProto.AttributeType.FLOAT)
                        .setRefAttrName("slope"))
                .build();
        NodeProto outer = NodeProto.newBuilder()
                .setDomain("local")
                .setOpType("leaky")
                .addInput("v")
                .addOutput("r")
                .build();
        FunctionProto leaky = FunctionProto.newBuilder()
                .setName("leaky")
                .setDomain("local")
                .addInput("v")
                .addOutput("r")
                .addAttribute("slope")
                .addNode(body)
                .build();
        FunctionProto twice =
                leaky.toBuilder().setName("twice").clearNode().addNode(outer).build();
        return new TinyModel(18)
                        .input("x", DataType.FLOAT, -1, 4)
                        .node("local:leaky", "x", "p", "slope", 0.3f)
                        .node("local:twice", "p", "y")
                        .output("y", DataType.FLOAT, -1, 4)
                        .proto()
                        .toBuilder()
                        .setIrVersion(8)
                        .addOpsetImport(OperatorSetIdProto.newBuilder()
                                .setDomain("local")
                                .setVersion(1))
                        .addFunctions(leaky)
                        .addFunctions(twice)
                        .build();
    }

    private static ModelProto sparse() {
        TensorProto values = TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(2)
                .addFloatData(1)
                .addFloatData(2)
                .build();
        TensorProto places = TensorProto.newBuilder()
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(2)
                .addInt64Data(3)
                .addInt64Data(7)
                .build();
        ModelProto model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .node("MatMul", "x w", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
        SparseTensorProto sparse = SparseTensorProto.newBuilder()
                .setValues(values)
                .setIndices(places)
                .addDims(4)
                .addDims(4)
                .build();
        return model.toBuilder()
                .setGraph(model.getGraph().toBuilder().addSparseInitializer(sparse))
                .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static ModelProto external() {
        TensorProto tensor = TensorProto.newBuilder()
                .setName("w")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(4)
                .addDims(3)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", DATA))
                .addExternalData(entry("offset", "16"))
                .addExternalData(entry("length", "48"))
                .build();
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer(tensor)
                .node("MatMul", "x w", "y")
                .output("y", DataType.FLOAT, -1, 3)
                .proto();
    }

    /** Operators that take sizes from numbers in the file. */
    private static ModelProto sizes() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("shape", HostTensor.vector(2, 3))
                .initializer("repeats", HostTensor.vector(1, 2))
                .node("ConstantOfShape", "shape", "zeros")
                .node("Tile", "zeros repeats", "tiled")
                .node("Constant", "", "target", "value_ints", new long[] {4, 2, 6})
                .node("Expand", "tiled target", "expanded")
                .node("Constant", "", "zero", "value_int", 0)
                .node("Constant", "", "ten", "value_int", 10)
                .node("Constant", "", "one", "value_int", 1)
                .node("Range", "zero ten one", "range")
                .node("Cast", "range", "reals", "to", 1)
                .node("ReduceSum", "reals", "sum", "keepdims", 0)
                .node("ReduceMax", "expanded", "most", "keepdims", 0)
                .node("Add", "x sum", "a")
                .node("Add", "a most", "b")
                .node("Tile", "b repeats", "y")
                .output("y", DataType.FLOAT, -1, 8)
                .proto();
    }

    /** What exporters write for a causal mask. */
    private static ModelProto masks() {
        return new TinyModel(14)
                .input("x", DataType.FLOAT, -1, -2, -2)
                .node("Shape", "x", "s")
                .node("Constant", "", "two", "value_int", 2)
                .node("Constant", "", "axes", "value_ints", new long[] {0})
                .node("Gather", "s two", "n")
                .node("Unsqueeze", "n axes", "row")
                .node("Concat", "row row", "square", "axis", 0)
                .node("ConstantOfShape", "square", "mask")
                .node("Trilu", "mask", "upper")
                .node("Constant", "", "starts", "value_ints", new long[] {0, 0})
                .node("Constant", "", "ends", "value_ints", new long[] {8, 8})
                .node("Slice", "upper starts ends", "cut")
                .node("Add", "x cut", "sum")
                .node("Softmax", "sum", "y", "axis", -1)
                .output("y", DataType.FLOAT, -1, -2, -2)
                .proto();
    }
}
