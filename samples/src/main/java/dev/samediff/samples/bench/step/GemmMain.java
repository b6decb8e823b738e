package dev.samediff.samples.bench.step;

import dev.samediff.samples.machine.GemmProbe;
import dev.samediff.samples.output.Json;
import java.time.Duration;
import java.util.Map;

/** The process that says how fast ND4J's products are with the kernels of its environment. */
final class GemmMain {
    private GemmMain() {}

    public static void main(String[] arguments) {
        System.out.println(Json.line(Map.of("gigaflops", GemmProbe.gigaflops(Duration.ofSeconds(1)))));
    }
}
