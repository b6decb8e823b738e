package dev.samediff.samples.bench.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.bench.step.StepJob.Configuration;
import dev.samediff.samples.bench.step.StepJob.Effort;
import dev.samediff.samples.output.Json;
import java.nio.file.Path;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepProbeTest {
    private static final Network TINY = new Network(16, 1, 2, 2, 6, 20);

    @TempDir
    Path folder;

    @Test
    void both_methods_start_from_the_same_loss_and_train() throws Exception {
        Workload workload = Workload.write(TINY, folder);
        workload.writeStart(Lora.rank(16));
        workload.writeStart(Sorsa.rank(16));
        StepRun lora = run(workload, "lora");
        StepRun sorsa = run(workload, "sorsa");
        assertThat(lora.losses()).hasSize(5);
        assertThat(sorsa.losses().get(0)).isCloseTo(lora.losses().get(0), Offset.offset(1e-4));
        assertThat(sorsa.losses().get(4)).isLessThan(sorsa.losses().get(0));
        assertThat(lora.losses().get(4)).isLessThan(lora.losses().get(0));
        assertThat(sorsa.ms()).isPositive();
        assertThat(sorsa.peakBytes()).isGreaterThan(1_000_000);
    }

    private static StepRun run(Workload workload, String method) throws Exception {
        Configuration measured = new Configuration(TINY, method, Precision.F32, 1);
        StepJob job = StepJob.of(measured, workload, new Effort(2, 3));
        StepJob received = Json.parse(Json.line(job), StepJob.class); // as a process gets it
        assertThat(received).isEqualTo(job);
        return StepProbe.run(EngineChoice.REFERENCE, received);
    }
}
