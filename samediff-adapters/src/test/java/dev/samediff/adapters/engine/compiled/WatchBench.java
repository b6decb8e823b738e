package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.*;
import dev.samediff.adapters.train.loss.*;
import dev.samediff.adapters.engine.nd4j.BitSample;
import dev.samediff.adapters.graph.*;
import java.util.*;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class WatchBench {
    @Test
    void measure() {
        // 12 layers of GPT-2 small
        TinyGpt gpt = TinyGpt.ofZeros(768, 12, 12, 5000, 8);
        List<INDArray> weights = gpt.weights.stream().map(n -> gpt.graph.getArrForVarName(n)).toList();
        weights.forEach(w -> w.assign(0.5));
        List<BitSample> samples = weights.stream().map(BitSample::of).toList();
        byte[] flush = new byte[64 << 20];
        double best = 1e9; double[] all = new double[40];
        for (int i = 0; i < 40; i++) {
            Arrays.fill(flush, (byte) i);
            long t = System.nanoTime();
            boolean ok = true;
            for (int k = 0; k < weights.size(); k++) ok &= samples.get(k).isOf(weights.get(k));
            all[i] = (System.nanoTime() - t) / 1e6;
            if (!ok) throw new AssertionError();
        }
        Arrays.sort(all);
        System.out.printf("BENCH samples of 48 weights of GPT-2 small, caches flushed: best %.3f median %.3f ms%n", all[0], all[20]);
        for (int[] c : new int[][] {{64, 2, 64, 2, 32}, {768, 12, 5000, 1, 64}}) {
            TinyGpt small = new TinyGpt(c[0], c[1], 2, c[2], 4);
            TaskLoss loss = Losses.causalLm(small.graph, small.logits);
            Map<String, INDArray> batch = small.batch(c[3], c[4], 1);
            try (CompiledEngine e = new CompiledEngine(small.graph, loss.loss(), small.trainables, EngineOptions.defaults())) {
                double bestStep = 1e9;
                int n = c[0] == 64 ? 3000 : 8;
                for (int i = 0; i < n; i++) {
                    long t = System.nanoTime();
                    e.gradients(batch);
                    bestStep = Math.min(bestStep, (System.nanoTime() - t) / 1e3);
                }
                var lowered = dev.samediff.adapters.engine.lowering.Lowering.lower(small.graph, List.of(loss.loss()), name -> batch.get(name));
                PlanSource source = new PlanSource(small.graph, List.of(loss.loss()), lowered, lowered.builder().build(lowered.outputs()));
                StructureWatch watch = StructureWatch.of(small.graph, List.of(loss.loss()));
                FoldedConstants folded = new FoldedConstants(small.graph, lowered.folded());
                double s1 = 1e9, s2 = 1e9, s3 = 1e9;
                for (int i = 0; i < 3000; i++) {
                    long t = System.nanoTime();
                    source.isCurrent();
                    s1 = Math.min(s1, (System.nanoTime() - t) / 1e3);
                    t = System.nanoTime();
                    watch.isUnchanged();
                    s2 = Math.min(s2, (System.nanoTime() - t) / 1e3);
                    t = System.nanoTime();
                    folded.changed();
                    s3 = Math.min(s3, (System.nanoTime() - t) / 1e3);
                }
                System.out.printf("BENCH width %d layers %d: step %.1f us; PlanSource.isCurrent %.2f us, of which structure %.2f us (%d ops), folded %.2f us (%d)%n",
                        c[0], c[1], bestStep, s1, s2, small.graph.getOps().size(), s3, lowered.folded().size());
            }
            try (DecodingSession s = new DecodingSession(small.graph, "input_ids", small.logits, EngineOptions.defaults())) {
                Map<String, INDArray> texts = small.inputs(1, 64, 3);
                s.start(texts);
                double b1 = 1e9, b2 = 1e9;
                for (int i = 0; i < (c[0] == 64 ? 2000 : 30); i++) {
                    long t = System.nanoTime();
                    s.next(texts, 5);
                    b1 = Math.min(b1, (System.nanoTime() - t) / 1e3);
                    t = System.nanoTime();
                    s.isCurrent();
                    b2 = Math.min(b2, (System.nanoTime() - t) / 1e3);
                }
                System.out.printf("BENCH decoding width %d layers %d: next %.1f us, isCurrent %.2f us%n", c[0], c[1], b1, b2);
            }
        }
    }
}
