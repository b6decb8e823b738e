package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What checking a program costs beside compiling it: {@code main} prints the best of twenty, for twelve layers of width 256. */
final class CheckBench {
    private CheckBench() {}

    public static void main(String[] args) {
        TinyGpt gpt = TinyGpt.ofZeros(256, 12, 4, 1000, 8);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(4, 64, 1);
        double compiled = Double.POSITIVE_INFINITY;
        double checked = Double.POSITIVE_INFINITY;
        int nodes = 0;
        for (int i = 0; i < 20; i++) {
            try (Target target = Targets.open(EngineOptions.defaults());
                    FrozenWeights weights = new FrozenWeights(gpt.graph, target)) {
                long start = System.nanoTime();
                CompiledStep step = CompiledStep.compile(
                        gpt.graph,
                        List.of(loss.loss()),
                        gpt.trainables,
                        batch,
                        EngineOptions.defaults(),
                        weights,
                        new HashMap<>());
                compiled = Math.min(compiled, (System.nanoTime() - start) / 1e6);
                Program program = step.plan().program();
                nodes = program.nodes().size();
                start = System.nanoTime();
                ProgramCheck.check(program, "compiling");
                checked = Math.min(checked, (System.nanoTime() - start) / 1e6);
                step.close();
            }
        }
        System.out.printf("%d nodes: checked in %.2f ms, compiled in %.0f ms%n", nodes, checked, compiled);
    }
}
