package dev.samediff.adapters.engine.random;

import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A graph as a list of steps, each of which reads two earlier tensors [B,T,D]: number 0 is a placeholder, 1 a trained
 * variable, 2 the first step. It can be made smaller, and printed as the code that makes it.
 *
 * @param batch texts
 * @param length positions
 * @param width features
 * @param steps in order
 * @param loss what is differentiated
 */
record RandomGraph(int batch, int length, int width, List<Step> steps, Loss loss) {
    /** What is differentiated. */
    enum Loss {
        SQUARES,
        CROSS_ENTROPY,
        FOCAL,
        MANY_CLASSES
    }

    /** One construct. */
    record Step(Kind kind, int a, int b, long seed) {}

    /** The graph itself. */
    record Graph(SameDiff sd, String loss, List<String> trained, List<String> outputs, Map<String, INDArray> inputs) {}

    static RandomGraph sized(int batch, int length, int width, Loss loss) {
        return new RandomGraph(batch, length, width, List.of(), loss);
    }

    RandomGraph step(Kind kind, int a, int b, long seed) {
        List<Step> more = new ArrayList<>(steps);
        more.add(new Step(kind, a, b, seed));
        return new RandomGraph(batch, length, width, more, loss);
    }

    /** Returns a graph that a seed stands for; one in sixteen has texts long enough for attention in tiles. */
    static RandomGraph of(long seed) {
        Random random = new Random(seed * 7919 + 3);
        boolean isLong = random.nextInt(16) == 0;
        int length = isLong ? 256 + random.nextInt(3) : 2 + random.nextInt(5);
        int batch = isLong ? 1 : 1 + random.nextInt(3);
        int losses = Loss.values().length;
        Loss loss = Loss.values()[random.nextInt(losses)];
        RandomGraph graph = sized(batch, length, 2 * (1 + random.nextInt(4)), loss);
        int count = isLong ? 3 + random.nextInt(5) : 5 + random.nextInt(18);
        for (int i = 0; i < count; i++) {
            int known = i + 2;
            int a = random.nextInt(4) == 0 ? random.nextInt(known) : Math.max(0, known - 1 - random.nextInt(3));
            Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
            graph = graph.step(kind, a, random.nextInt(known), random.nextInt(1000));
        }
        return graph;
    }

    /** Returns this without a step; who read it reads what it read first. */
    RandomGraph without(int index) {
        int gone = index + 2;
        int instead = steps.get(index).a();
        List<Step> fewer = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            if (i != index) {
                fewer.add(new Step(
                        step.kind(), moved(step.a(), gone, instead), moved(step.b(), gone, instead), step.seed()));
            }
        }
        return new RandomGraph(batch, length, width, fewer, loss);
    }

    private static int moved(int number, int gone, int instead) {
        return number == gone ? instead : number > gone ? number - 1 : number;
    }

    Graph build() {
        Build build = new Build(batch, length, width);
        build.start("x", 1);
        List<SDVariable> values = new ArrayList<>();
        values.add(build.input("x", build.numbers(0.7, batch, length, width)));
        values.add(build.trainable(0.7, batch, length, width));
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            build.start("s" + i, step.seed());
            values.add(step.kind().make(build, values.get(step.a()), values.get(step.b())));
        }
        List<String> outputs = values.subList(2, values.size()).stream()
                .skip(Math.max(0, values.size() - 6))
                .map(SDVariable::name)
                .toList();
        build.start("loss", 17);
        String name = loss(
                build,
                values.get(values.size() - 1),
                values.get(values.size() / 2).add(values.get(1)));
        return new Graph(build.sd, name, build.trained, outputs, build.inputs);
    }

    private String loss(Build g, SDVariable last, SDVariable other) {
        SDVariable y = last.add(other.mul(0.1));
        if (loss == Loss.SQUARES) {
            return y.mul(y).mean().rename("loss").name();
        }
        int classes = loss == Loss.MANY_CLASSES ? 600 : 7;
        SDVariable z = g.sd.mmul(g.flat(y), g.weight(0.5, width, classes));
        SDVariable logits = g.sd.reshape(z, batch, length, classes).rename("logits");
        if (loss == Loss.FOCAL) {
            return focal(g, z, classes);
        }
        TaskLoss task = Losses.causalLm(g.sd, logits.name());
        g.inputs.put(task.labels(), labels(g, classes).reshape(batch, length));
        INDArray mask = Nd4j.zeros(DataType.FLOAT, batch, length);
        for (long i = 0; i < mask.length(); i++) {
            mask.putScalar(i, i == 0 || g.random.nextInt(3) > 0 ? 1 : 0);
        }
        g.inputs.put(task.mask(), mask);
        return task.loss();
    }

    private INDArray labels(Build g, int classes) {
        return Nd4j.createFromArray(
                g.random.ints((long) batch * length, 0, classes).toArray());
    }

    /** The cross entropy of single rows, weighted by the square of what is not right. */
    private static String focal(Build g, SDVariable z, int classes) {
        SDVariable labels =
                g.input("labels", new RandomGraph(g.batch, g.length, 0, List.of(), Loss.FOCAL).labels(g, classes));
        SDVariable range = g.sd.constant(Nd4j.createFromArray(
                java.util.stream.IntStream.range(0, classes).toArray()));
        SDVariable chosen =
                g.sd.eq(g.sd.expandDims(labels, 1), g.sd.expandDims(range, 0)).castTo(DataType.FLOAT);
        SDVariable ce = g.sd.math.log(g.sd.math.exp(z).sum(1)).sub(z.mul(chosen).sum(1));
        SDVariable wrong = g.sd.math.exp(ce.neg()).rsub(1);
        return ce.mul(g.sd.math.square(wrong)).mean().rename("loss").name();
    }

    /** Returns the code that makes this. */
    String code() {
        return "RandomGraph.sized(" + batch + ", " + length + ", " + width + ", Loss." + loss + ")"
                + steps.stream()
                        .map(step -> "\n        .step(Kind." + step.kind() + ", " + step.a() + ", " + step.b() + ", "
                                + step.seed() + ")")
                        .collect(Collectors.joining());
    }
}
