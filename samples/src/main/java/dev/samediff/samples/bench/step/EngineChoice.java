package dev.samediff.samples.bench.step;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.TaskLoss;
import dev.samediff.adapters.train.TrainingPlan;
import java.util.Locale;

/** This library's engines, as the command line names them. */
public enum EngineChoice {
    /** SameDiff's own operations, one after the other. */
    REFERENCE {
        @Override
        boolean runs(Precision precision) {
            return precision == Precision.F32;
        }

        @Override
        AdapterTrainer trainer(
                AdaptedModel model, TaskLoss loss, TrainingPlan plan, Binding inputs, Precision precision) {
            return new AdapterTrainer(model, loss, plan, inputs);
        }
    };

    /** Returns whether the engine knows a precision. */
    abstract boolean runs(Precision precision);

    /** Returns a trainer whose steps this engine executes. */
    abstract AdapterTrainer trainer(
            AdaptedModel model, TaskLoss loss, TrainingPlan plan, Binding inputs, Precision precision);

    /** Returns the name on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return label();
    }
}
