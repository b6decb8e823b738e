package dev.samediff.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.norm.LayerNorm;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The benchmark's GPT-2-like network with adapters on every linear layer, of Deep Java Library's operations. */
final class Gpt {
    private static final float EPSILON = 1e-5f;
    private static final float MASKED = -1e9f;

    private final Map<String, NDArray> weights;
    private final Map<String, AdaptedLinear> linear = new LinkedHashMap<>();
    private final NDArray mask;
    private final int heads;
    private final int layers;

    Gpt(NDManager manager, JsonObject job) throws IOException {
        Path folder = Path.of(job.get("folder").getAsString());
        heads = job.get("heads").getAsInt();
        layers = job.get("layers").getAsInt();
        weights = Tensors.read(manager, folder.resolve("weights.safetensors"), "");
        Map<String, Map<String, NDArray>> starts = new TreeMap<>();
        Path start = folder.resolve(job.get("method").getAsString()).resolve("native/adapter.safetensors");
        Tensors.read(manager, start, "start.").forEach((name, tensor) -> {
            int dot = name.lastIndexOf('.');
            String place = name.endsWith("S") ? "AS" : name.substring(name.length() - 1); // A, S, B
            starts.computeIfAbsent(name.substring(0, dot), module -> new TreeMap<>()).put(place, tensor);
        });
        starts.forEach((module, factors) -> linear.put(
                module,
                new AdaptedLinear(
                        weights.remove(module + ".weight"),
                        weights.remove(module + ".bias"),
                        new ArrayList<>(factors.values()))));
        int length = job.get("length").getAsInt();
        NDArray places = manager.arange(length);
        mask = places.reshape(length, 1).lt(places).toType(DataType.FLOAT32, false).mul(MASKED);
    }

    List<AdaptedLinear> linears() {
        return List.copyOf(linear.values());
    }

    /** Mean cross entropy of the next tokens; ids and labels are [B,T]. */
    NDArray loss(NDArray ids, NDArray labels) {
        long batch = ids.getShape().get(0);
        long length = ids.getShape().get(1);
        NDArray x = weights.get("transformer.wte.weight")
                .get(ids)
                .add(weights.get("transformer.wpe.weight").get("0:" + length))
                .reshape(batch * length, -1);
        for (int layer = 0; layer < layers; layer++) {
            String path = "transformer.h." + layer + ".";
            x = x.add(attention(path + "attn.", norm(path + "ln_1", x), batch, length));
            NDArray hidden = Activation.gelu(forward(path + "mlp.c_fc", norm(path + "ln_2", x)));
            x = x.add(forward(path + "mlp.c_proj", hidden));
        }
        NDArray logits = forward("lm_head", norm("transformer.ln_f", x));
        return logits.logSoftmax(1).gather(labels.reshape(-1, 1), 1).mean().neg();
    }

    private NDArray attention(String path, NDArray x, long batch, long length) {
        long size = x.getShape().get(1) / heads;
        NDArray joined = forward(path + "c_attn", x)
                .reshape(batch, length, 3, heads, size)
                .transpose(2, 0, 3, 1, 4);
        NDArray query = joined.get(0).mul(1 / Math.sqrt(size));
        NDArray scores = query.matMul(joined.get(1).transpose(0, 1, 3, 2)).addi(mask);
        NDArray mixed = scores.softmax(-1).matMul(joined.get(2));
        return forward(path + "c_proj", mixed.transpose(0, 2, 1, 3).reshape(batch * length, -1));
    }

    private NDArray norm(String name, NDArray x) {
        NDArray gain = weights.get(name + ".weight");
        Shape width = gain.getShape();
        return LayerNorm.layerNorm(x, width, gain, weights.get(name + ".bias"), EPSILON)
                .singletonOrThrow();
    }

    private NDArray forward(String module, NDArray x) {
        return linear.get(module).forward(x);
    }
}
