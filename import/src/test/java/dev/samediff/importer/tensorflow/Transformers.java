package dev.samediff.importer.tensorflow;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tensorflow.framework.DataType;

/** Small transformers as TensorFlow's own code writes them: two layers, width 16, two heads, weights from a fixed seed. */
final class Transformers {
    static final int WIDTH = 16;
    static final int HEADS = 2;
    static final int VOCABULARY = 23;
    static final int POSITIONS = 12;
    private static final DataType FLOAT = DataType.DT_FLOAT;
    private static final DataType INT = DataType.DT_INT32;

    private final GraphWriter w;
    private final Map<String, INDArray> changed;

    Transformers(GraphWriter writer, Map<String, INDArray> changed) {
        this.w = writer;
        this.changed = changed;
    }

    private String weight(String name, double around, long... shape) {
        INDArray value = changed.get(name);
        return w.weight(name, value == null ? values(name, around, shape) : value);
    }

    static INDArray values(String name, double around, long... shape) {
        Random random = new Random(name.hashCode());
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (around + 0.25 * random.nextGaussian());
        }
        return Nd4j.createFromArray(values).reshape(shape);
    }

    /** Element {@code i} of the shape of a tensor, as {@code tf.shape(x)[i]}. */
    String size(String scope, String tensor, DataType type, int i) {
        String shape = w.node("Shape", scope + "/Shape", List.of(tensor), "T", type, "out_type", INT);
        return w.node(
                "StridedSlice",
                scope + "/strided_slice",
                List.of(shape, w.ints(i), w.ints(i + 1), w.ints(1)),
                "T",
                INT,
                "Index",
                INT,
                "shrink_axis_mask",
                1);
    }

    private String pack(String name, String... sizes) {
        return w.list("Pack", name, INT, List.of(sizes), "axis", 0);
    }

    private String reduce(String operator, String name, String x, boolean keep) {
        return w.node(operator, name, List.of(x, w.ints(-1)), "T", FLOAT, "Tidx", INT, "keep_dims", keep);
    }

    /** tf.nn.moments and tf.nn.batch_normalization, as BERT's LayerNorm. */
    private String layerNorm(String scope, String x) {
        String gamma = weight(scope + "/gamma", 1, WIDTH);
        String beta = weight(scope + "/beta", 0, WIDTH);
        String mean = reduce("Mean", scope + "/moments/mean", x, true);
        String squares = w.op("SquaredDifference", scope + "/moments/SquaredDifference", x, mean);
        String variance = reduce("Mean", scope + "/moments/variance", squares, true);
        String rsqrt = w.op(
                "Rsqrt", scope + "/batchnorm/Rsqrt", w.op("AddV2", scope + "/batchnorm/add", variance, w.number(1e-6)));
        String factor = w.op("Mul", scope + "/batchnorm/mul", rsqrt, gamma);
        String scaled = w.op("Mul", scope + "/batchnorm/mul_1", x, factor);
        String shift =
                w.op("Sub", scope + "/batchnorm/sub", beta, w.op("Mul", scope + "/batchnorm/mul_2", mean, factor));
        return w.op("AddV2", scope + "/batchnorm/add_1", scaled, shift);
    }

    private String dense(String scope, String matrix, int in, int out) {
        String product = w.op("MatMul", scope + "/MatMul", matrix, weight(scope + "/kernel", 0, in, out));
        return w.op("BiasAdd", scope + "/BiasAdd", product, weight(scope + "/bias", 0, out));
    }

    /** Keras' Dense on more than two axes: tf.tensordot, with shapes computed in the graph. */
    private String tensordot(String scope, String x, int in, int out) {
        String at = scope + "/Tensordot";
        String shape = w.node("Shape", at + "/Shape", List.of(x), "T", FLOAT, "out_type", INT);
        String free = gather(at + "/GatherV2", shape, w.ints(0, 1));
        String last = gather(at + "/GatherV2_1", shape, w.ints(2));
        String rows = w.node("Prod", at + "/Prod", List.of(free, w.ints(0)), "T", INT, "keep_dims", false);
        String columns = w.node("Prod", at + "/Prod_1", List.of(last, w.ints(0)), "T", INT, "keep_dims", false);
        String matrix = w.op("Reshape", at + "/Reshape", x, pack(at + "/stack", rows, columns));
        String product = w.op("MatMul", at + "/MatMul", matrix, weight(scope + "/kernel", 0, in, out));
        String full = w.list("ConcatV2", at + "/concat", INT, List.of(free, w.ints(out), w.number(0)));
        String result = w.op("Reshape", at, product, full);
        return w.op("BiasAdd", scope + "/BiasAdd", result, weight(scope + "/bias", 0, out));
    }

    private String gather(String name, String from, String indices) {
        return w.node(
                "GatherV2", name, List.of(from, indices, w.number(0)), "Tparams", INT, "Tindices", INT, "Taxis", INT);
    }

    private String lookup(String name, String table, String indices) {
        return w.node(
                "GatherV2",
                name,
                List.of(table, indices, w.number(0)),
                "Tparams",
                FLOAT,
                "Tindices",
                INT,
                "Taxis",
                INT);
    }

    private String transpose(String name, String x, int... order) {
        return w.op("Transpose", name, x, w.ints(order));
    }

    private String erfGelu(String scope, String x) {
        String erf = w.op("Erf", scope + "/Erf", w.op("Mul", scope + "/mul", x, w.number(Math.sqrt(0.5))));
        String cdf = w.op("Mul", scope + "/mul_1", w.number(0.5), w.op("AddV2", scope + "/add", w.number(1.0), erf));
        return w.op("Mul", scope + "/mul_2", x, cdf);
    }

    private String tanhGelu(String scope, String x) {
        String cube = w.op("Pow", scope + "/Pow", x, w.number(3.0));
        String inner = w.op("AddV2", scope + "/add", x, w.op("Mul", scope + "/mul", w.number(0.044715), cube));
        String tanh =
                w.op("Tanh", scope + "/Tanh", w.op("Mul", scope + "/mul_1", w.number(Math.sqrt(2 / Math.PI)), inner));
        String cdf = w.op("Mul", scope + "/mul_2", w.number(0.5), w.op("AddV2", scope + "/add_1", w.number(1.0), tanh));
        return w.op("Mul", scope + "/mul_3", x, cdf);
    }

    /** Google's BERT: embeddings, attention on matrices [batch * sequence, width], pooler. Outputs "sequence", "pooled". */
    void bert() {
        String ids = w.placeholder("input_ids", INT, -1, -1);
        String mask = w.placeholder("input_mask", INT, -1, -1);
        String segments = w.placeholder("segment_ids", INT, -1, -1);
        String batch = size("bert/batch", ids, INT, 0);
        String length = size("bert/length", ids, INT, 1);
        String table = weight("bert/embeddings/word_embeddings", 0, VOCABULARY, WIDTH);
        String words = lookup("bert/embeddings/GatherV2", table, ids);
        String oneHot = w.node(
                "OneHot",
                "bert/embeddings/one_hot",
                List.of(
                        w.whole("Reshape", "bert/embeddings/flat", segments, w.ints(-1)),
                        w.number(2),
                        w.number(1.0),
                        w.number(0.0)),
                "T",
                FLOAT,
                "TI",
                INT,
                "axis",
                -1);
        String types = w.op(
                "MatMul",
                "bert/embeddings/MatMul",
                oneHot,
                weight("bert/embeddings/token_type_embeddings", 0, 2, WIDTH));
        String typed = w.op(
                "Reshape",
                "bert/embeddings/Reshape",
                types,
                pack("bert/embeddings/pack", batch, length, w.number(WIDTH)));
        String places = w.node(
                "Slice",
                "bert/embeddings/Slice",
                List.of(
                        weight("bert/embeddings/position_embeddings", 0, POSITIONS, WIDTH),
                        w.ints(0, 0),
                        pack("bert/embeddings/size", length, w.number(-1))),
                "T",
                FLOAT,
                "Index",
                INT);
        String sum = w.op("AddV2", "bert/embeddings/add", w.op("AddV2", "bert/embeddings/add_1", words, typed), places);
        String x = layerNorm("bert/embeddings/LayerNorm", sum);
        String ones =
                w.op("Fill", "bert/encoder/ones", pack("bert/encoder/size", batch, length, w.number(1)), w.number(1.0));
        String row =
                w.whole("Reshape", "bert/encoder/row", mask, pack("bert/encoder/row_size", batch, w.number(1), length));
        String floats = w.node("Cast", "bert/encoder/Cast", List.of(row), "SrcT", INT, "DstT", FLOAT);
        String square = w.op("Mul", "bert/encoder/mask", ones, floats);
        String flat = w.op("Reshape", "bert/encoder/flat", x, w.ints(-1, WIDTH));
        for (int layer = 0; layer < 2; layer++) {
            flat = bertLayer("bert/encoder/layer_" + layer, flat, square, batch, length);
        }
        String sequence =
                w.op("Reshape", "sequence", flat, pack("bert/encoder/out_size", batch, length, w.number(WIDTH)));
        String first = w.node(
                "StridedSlice",
                "bert/pooler/strided_slice",
                List.of(sequence, w.ints(0, 0, 0), w.ints(0, 1, 0), w.ints(1, 1, 1)),
                "T",
                FLOAT,
                "Index",
                INT,
                "begin_mask",
                5,
                "end_mask",
                5);
        String squeezed =
                w.node("Squeeze", "bert/pooler/Squeeze", List.of(first), "T", FLOAT, "squeeze_dims", new long[] {1});
        w.op("Tanh", "pooled", dense("bert/pooler/dense", squeezed, WIDTH, WIDTH));
    }

    private String heads(String scope, String matrix, String batch, String length) {
        String split = w.op(
                "Reshape",
                scope + "/Reshape",
                matrix,
                pack(scope + "/size", batch, length, w.number(HEADS), w.number(WIDTH / HEADS)));
        return transpose(scope + "/transpose", split, 0, 2, 1, 3);
    }

    private String bertLayer(String scope, String x, String mask, String batch, String length) {
        String self = scope + "/attention/self";
        String q = heads(self + "/q", dense(self + "/query", x, WIDTH, WIDTH), batch, length);
        String k = heads(self + "/k", dense(self + "/key", x, WIDTH, WIDTH), batch, length);
        String v = heads(self + "/v", dense(self + "/value", x, WIDTH, WIDTH), batch, length);
        String scores = w.node("BatchMatMulV2", self + "/MatMul", List.of(q, k), "T", FLOAT, "adj_y", true);
        String scaled = w.op("Mul", self + "/Mul", scores, w.number(1 / Math.sqrt(WIDTH / (double) HEADS)));
        String wide = w.op("ExpandDims", self + "/ExpandDims", mask, w.ints(1));
        String adder =
                w.op("Mul", self + "/mul_1", w.op("Sub", self + "/sub", w.number(1.0), wide), w.number(-10000.0));
        String probabilities = w.op("Softmax", self + "/Softmax", w.op("AddV2", self + "/add", scaled, adder));
        String context = w.op("BatchMatMulV2", self + "/MatMul_1", probabilities, v);
        String joined = w.op(
                "Reshape",
                self + "/Reshape_3",
                transpose(self + "/transpose_3", context, 0, 2, 1, 3),
                w.ints(-1, WIDTH));
        String output = scope + "/attention/output";
        String attended = layerNorm(
                output + "/LayerNorm",
                w.op("AddV2", output + "/add", dense(output + "/dense", joined, WIDTH, WIDTH), x));
        String inner =
                erfGelu(scope + "/intermediate/gelu", dense(scope + "/intermediate/dense", attended, WIDTH, 2 * WIDTH));
        String back = dense(scope + "/output/dense", inner, 2 * WIDTH, WIDTH);
        return layerNorm(scope + "/output/LayerNorm", w.op("AddV2", scope + "/output/add", back, attended));
    }

    /** GPT-2 with Keras' Tensordot layers, a MatrixBandPart mask and the embedding as head. Output "logits". */
    void gpt2() {
        String ids = w.placeholder("input_ids", INT, -1, -1);
        String length = size("gpt2/length", ids, INT, 1);
        String batch = size("gpt2/batch", ids, INT, 0);
        String table = weight("gpt2/wte/weight_table", 0, VOCABULARY, WIDTH);
        String range = w.node("Range", "gpt2/range", List.of(w.number(0), length, w.number(1)), "Tidx", INT);
        String places = lookup("gpt2/wpe", weight("gpt2/wpe/embeddings", 0, POSITIONS, WIDTH), range);
        String x = w.op("AddV2", "gpt2/add", lookup("gpt2/wte", table, ids), places);
        String ones = w.op("Fill", "gpt2/ones", pack("gpt2/square", length, length), w.number(1.0));
        String mask = w.node(
                "MatrixBandPart",
                "gpt2/MatrixBandPart",
                List.of(ones, w.number(-1), w.number(0)),
                "T",
                FLOAT,
                "Tindex",
                INT);
        for (int layer = 0; layer < 2; layer++) {
            x = gptLayer("gpt2/h_" + layer, x, mask, batch, length);
        }
        String flat = w.op("Reshape", "gpt2/flat", layerNorm("gpt2/ln_f", x), w.ints(-1, WIDTH));
        String scores = w.node("MatMul", "gpt2/head/MatMul", List.of(flat, table), "T", FLOAT, "transpose_b", true);
        w.op("Reshape", "logits", scores, pack("gpt2/out", batch, length, w.number(VOCABULARY)));
    }

    private String gptLayer(String scope, String x, String mask, String batch, String length) {
        String attention = tensordot(scope + "/attn/c_attn", layerNorm(scope + "/ln_1", x), WIDTH, 3 * WIDTH);
        w.node("Split", scope + "/split", List.of(w.number(2), attention), "T", FLOAT, "num_split", 3);
        String q = heads(scope + "/q", scope + "/split", batch, length);
        String k = heads(scope + "/k", scope + "/split:1", batch, length);
        String v = heads(scope + "/v", scope + "/split:2", batch, length);
        String scores = w.list("Einsum", scope + "/einsum/Einsum", FLOAT, List.of(q, k), "equation", "bhqd,bhkd->bhqk");
        String scaled = w.op("RealDiv", scope + "/truediv", scores, w.number(Math.sqrt(WIDTH / (double) HEADS)));
        String kept = w.op("Mul", scope + "/mul", scaled, mask);
        String hidden = w.op("Mul", scope + "/mul_1", w.number(1e4), w.op("Sub", scope + "/sub", w.number(1.0), mask));
        String probabilities = w.op("Softmax", scope + "/Softmax", w.op("Sub", scope + "/sub_1", kept, hidden));
        String context = w.list(
                "Einsum", scope + "/einsum_1/Einsum", FLOAT, List.of(probabilities, v), "equation", "bhqk,bhkd->bqhd");
        String joined =
                w.op("Reshape", scope + "/merge", context, pack(scope + "/merge_size", batch, length, w.number(WIDTH)));
        String after = w.op("AddV2", scope + "/add", x, tensordot(scope + "/attn/c_proj", joined, WIDTH, WIDTH));
        String inner = tanhGelu(
                scope + "/gelu", tensordot(scope + "/mlp/c_fc", layerNorm(scope + "/ln_2", after), WIDTH, 2 * WIDTH));
        return w.op("AddV2", scope + "/add_1", after, tensordot(scope + "/mlp/c_proj", inner, 2 * WIDTH, WIDTH));
    }

    /** A vision transformer: patches by Conv2D, a class token, erf GELU. Output "classes". */
    void vit() {
        String images = w.placeholder("images", FLOAT, -1, 8, 8, 3);
        String patches = w.node(
                "Conv2D",
                "vit/embedding/Conv2D",
                List.of(images, weight("vit/embedding/kernel", 0, 4, 4, 3, WIDTH)),
                "T",
                FLOAT,
                "strides",
                new long[] {1, 4, 4, 1},
                "padding",
                "VALID");
        String biased = w.op("BiasAdd", "vit/embedding/BiasAdd", patches, weight("vit/embedding/bias", 0, WIDTH));
        String batch = size("vit/batch", images, FLOAT, 0);
        String rows = w.op("Reshape", "vit/rows", biased, pack("vit/rows_size", batch, w.number(-1), w.number(WIDTH)));
        String token = w.op(
                "BroadcastTo",
                "vit/BroadcastTo",
                weight("vit/class_token", 0, 1, 1, WIDTH),
                pack("vit/token_size", batch, w.number(1), w.number(WIDTH)));
        String all = w.list("ConcatV2", "vit/concat", FLOAT, List.of(token, rows, w.number(1)));
        String x = w.op("AddV2", "vit/add", all, weight("vit/position_embedding", 0, 1, 5, WIDTH));
        String ones = w.op("Fill", "vit/ones", w.ints(5, 5), w.number(1.0));
        for (int layer = 0; layer < 2; layer++) {
            x = gptLayer("vit/block_" + layer, x, ones, batch, w.number(5));
        }
        String first = w.node(
                "StridedSlice",
                "vit/first",
                List.of(layerNorm("vit/norm", x), w.ints(0, 0), w.ints(0, 1), w.ints(1, 1)),
                "T",
                FLOAT,
                "Index",
                INT,
                "begin_mask",
                1,
                "end_mask",
                1,
                "shrink_axis_mask",
                2);
        w.op("Identity", "classes", dense("vit/head", erfGelu("vit/gelu", first), WIDTH, 5));
    }
}
