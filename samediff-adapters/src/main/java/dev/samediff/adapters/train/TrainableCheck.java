package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GradientFlow;
import dev.samediff.adapters.graph.Names;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/** Refuses trainings that could change nothing, or would leave out what the graph says is trained. */
final class TrainableCheck {
    private TrainableCheck() {}

    /**
     * Looks at what is to be trained.
     *
     * @throws InvalidInputException if it is nothing, or something that cannot be trained
     */
    static void requireVariables(Trainable model) {
        List<String> names = model.trainableNames();
        if (names.isEmpty()) {
            throw new InvalidInputException(
                    "there is nothing to train: no variables are named; activate an adapter, or name VARIABLEs of the graph");
        }
        SameDiff graph = model.graph();
        for (String name : names) {
            if (!graph.hasVariable(name)) {
                throw new InvalidInputException("the trainable variable `" + name + "` does not exist in this graph");
            }
            SDVariable variable = graph.getVariable(name);
            if (variable.getVariableType() != VariableType.VARIABLE
                    || !variable.dataType().isFPType()) {
                throw new InvalidInputException("`" + name + "` is a " + variable.getVariableType() + " of type "
                        + variable.dataType() + "; only floating point VARIABLEs can be trained"
                        + (variable.isConstant() ? " (convertToVariable() makes one of a constant)" : ""));
            }
        }
    }

    /**
     * Looks at the way from what is trained to the loss.
     *
     * @throws InvalidInputException if there is none, or if a VARIABLE is on it that is not trained but should be
     */
    static void requireEffect(Trainable model, String loss) {
        SameDiff graph = model.graph();
        model.requireActive();
        Set<String> reached = GradientFlow.to(graph, List.of(loss));
        List<String> names = model.trainableNames();
        if (names.stream().noneMatch(reached::contains)) {
            throw new InvalidInputException("the loss `" + loss + "` depends on none of the " + names.size()
                    + " trainable variables " + Names.some(names) + "; name a loss computed from them");
        }
        if (model.meansEveryVariable()) {
            List<String> left = reached.stream()
                    .filter(name -> graph.getVariable(name).getVariableType() == VariableType.VARIABLE)
                    .filter(name -> !names.contains(name))
                    .toList();
            if (!left.isEmpty()) {
                throw new InvalidInputException("the loss `" + loss
                        + "` depends on VARIABLEs that this training leaves out: "
                        + Names.some(left)
                        + ". Train them too: with the adapter, by AdapterConfig.withModulesToSave, or by new AdapterTrainer(Trainable.of(model, loss).with(\""
                        + left.get(0) + "\"), ...), or let them stay as they are, by"
                        + " graph.getVariable(name).convertToConstant()");
            }
        }
    }
}
