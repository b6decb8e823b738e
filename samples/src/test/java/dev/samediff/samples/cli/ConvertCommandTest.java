package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ConvertCommandTest {
    @TempDir
    Path dir;

    /** A change diag(4, 3, 0, ...): of rank 1, three fifths are lost. */
    private Path folder() throws IOException {
        INDArray a = Nd4j.zeros(5, 2);
        a.putScalar(0, 0, 4);
        a.putScalar(1, 1, 3);
        INDArray b = Nd4j.eye(4).get(NDArrayIndex.interval(0, 2)).dup('c');
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", a);
        tensors.put("lora_B", b);
        AdapterState.Site site = new AdapterState.Site(
                "layer", "layer.weight", 5, 4, 2, 2, 1, tensors, tensors, true, AdapterState.UNKNOWN_HASH);
        AdapterConfig config = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("layer"));
        AdapterFolder.save(
                new AdapterState(config, List.of(site), BaseHash.of(Map.of("layer", AdapterState.UNKNOWN_HASH))),
                dir.resolve("a"));
        return dir.resolve("a");
    }

    @Test
    void a_smaller_rank_says_what_is_lost() throws IOException {
        Run run = Run.of(
                "convert",
                "--adapter",
                folder().toString(),
                "--rank",
                "1",
                "--out",
                dir.resolve("one").toString());
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("60.00 % of the change").contains("most in layer (60.00 %)");
        assertThat(AdapterFolder.load(dir.resolve("one")).sites().get(0).rank()).isEqualTo(1);
    }

    @Test
    void without_a_rank_it_is_exact_and_a_rank_of_zero_is_refused() throws IOException {
        String adapter = folder().toString();
        Run run = Run.of(
                "convert", "--adapter", adapter, "--out", dir.resolve("all").toString());
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).doesNotContain("lost");
        assertThat(AdapterFolder.load(dir.resolve("all")).sites().get(0).rank()).isEqualTo(2);
        Run refused = Run.of(
                "convert",
                "--adapter",
                adapter,
                "--rank",
                "0",
                "--out",
                dir.resolve("none").toString());
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("rank 0");
    }
}
