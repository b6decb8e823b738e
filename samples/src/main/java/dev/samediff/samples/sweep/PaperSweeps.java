package dev.samediff.samples.sweep;

import dev.samediff.tuning.Search;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.SpaceJson;

/** The sweeps of the papers, on a small budget. */
public final class PaperSweeps {
    /** Trials of the SORSA sweep. */
    public static final int SORSA_TRIALS = 24;

    private static final int COMPARED = 100;

    private PaperSweeps() {}

    /** SORSA's rank, gamma and peak learning rate (Cao and Song 2024 name them as what to explore). */
    public static AdapterSpace sorsa() {
        return SpaceJson.parse("""
                {"schema": 1, "parameters": {
                  "method": "sorsa",
                  "rank": [2, 4, 8, 16, 32],
                  "gamma": {"log_uniform": [1e-5, 1e-1]},
                  "eta": {"log_uniform": [1e-3, 3e-2]}}}
                """, "of SORSA");
    }

    /** OLoRA beside LoRA at several ranks (Büyükakyüz 2024, figure 2), one learning rate. */
    public static AdapterSpace ranks() {
        return SpaceJson.parse("""
                {"schema": 1, "parameters": {
                  "method": ["lora", "olora"],
                  "rank": [4, 8, 16, 32, 64],
                  "eta": 3e-3}}
                """, "of ranks");
    }

    /** The plan of the rank comparison: every point, none given up. */
    public static SweepPlan comparing(SweepPlan plan) {
        return new SweepPlan(
                COMPARED,
                Search.GRID,
                plan.seed(),
                plan.parallel(),
                plan.threads(),
                new Pruning.None(),
                plan.retries(),
                plan.limit(),
                plan.gridPoints());
    }
}
