package dev.samediff.adapters.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.samediff.ArrayHolder;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.array.ThreadSafeArrayHolder;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.autodiff.samediff.internal.Variable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Edits a graph in place: puts ops behind a variable without its readers noticing, takes them out again, freezes and
 * unfreezes variables.
 *
 * <p>Every name keeps its meaning: after an insertion behind {@code y}, everything that read {@code y} (ops, loss
 * variables, outputs, the caller's {@link SDVariable} objects) sees the new value, and the old one is called
 * {@code y/base}; an op called {@code y} is then called {@code y/base} too. Cached gradient functions and sessions are
 * dropped by {@link #invalidate()}. Every edit counts in the graph's {@link GraphVersion}.
 */
public final class GraphEditor {
    private final SameDiff graph;
    private final GraphVersion version;

    /** Creates an editor of a graph. */
    public GraphEditor(SameDiff graph) {
        this.graph = graph;
        this.version = GraphVersion.of(graph);
    }

    /**
     * Ops that were put behind a variable.
     *
     * @param output the variable, whose value is now the branch's
     * @param base its value without the branch
     * @param variables all variables the insertion made, the base among them
     */
    public record Insertion(String output, String base, List<String> variables) {
        public Insertion {
            variables = List.copyOf(variables);
        }
    }

    /**
     * Puts ops behind a variable.
     *
     * @param output name of an op's result
     * @param base name for its value without the branch; must be free
     * @param branch makes the new value from the old one; the new value must come from an op of its own
     */
    public Insertion insert(String output, String base, UnaryOperator<SDVariable> branch) {
        Set<String> variablesBefore = new HashSet<>(graph.getVariables().keySet());
        Set<String> opsBefore = new HashSet<>(graph.getOps().keySet());
        SDVariable value = graph.getVariable(output);
        SDVariable adapted = branch.apply(value);

        Set<String> newOps = new LinkedHashSet<>(graph.getOps().keySet());
        newOps.removeAll(opsBefore);
        swapProducers(output, adapted.name());
        moveReaders(output, adapted.name(), newOps);
        graph.renameVariable(adapted.name(), base);
        renameProducer(base, output, base);
        version.structureChanged();

        Set<String> created = new LinkedHashSet<>(graph.getVariables().keySet());
        created.removeAll(variablesBefore);
        return new Insertion(output, base, List.copyOf(created));
    }

    /**
     * Takes an insertion out again.
     *
     * @param insertion what is taken out
     * @param newer insertions behind the same variable that were made later and stay, oldest first
     */
    public void remove(Insertion insertion, List<Insertion> newer) {
        String holder = newer.isEmpty() ? insertion.output() : newer.get(0).base(); // what its result is called now
        swapProducers(holder, insertion.base());
        renameProducer(holder, insertion.base(), holder);
        removeWithProducers(insertion.variables());
    }

    /** Removes variables that no op reads any more, and the ops that only make them. */
    public void removeWithProducers(Collection<String> names) {
        Set<String> ops = new LinkedHashSet<>();
        for (String name : names) {
            String op = Internals.variable(graph, name).getOutputOfOp();
            if (op != null) {
                ops.add(op);
            }
        }
        removeOps(ops);
        removeVariables(names);
        version.structureChanged();
    }

    /** Returns the names of the variables that {@code build} adds to the graph. */
    public List<String> record(Runnable build) {
        Set<String> before = new HashSet<>(graph.getVariables().keySet());
        build.run();
        version.structureChanged();
        Set<String> created = new LinkedHashSet<>(graph.getVariables().keySet());
        created.removeAll(before);
        return List.copyOf(created);
    }

    /**
     * Adds trainable variables.
     *
     * @param values values by name, copied; names must be free
     */
    public void addTrainables(Map<String, INDArray> values) {
        List<SDVariable> added = new ArrayList<>();
        values.forEach((name, value) -> added.add(graph.constant(name, value.dup('c'))));
        graph.convertToVariables(added); // also gives them updater state if the graph was trained before
        version.structureChanged();
    }

    /**
     * Makes variables constant. They keep their arrays; SameDiff's own holder of constants would keep a second copy of
     * each for other devices (M2.1, DeviceLocalNDArray in delayed mode), so it is replaced first.
     */
    public void freeze(Collection<String> names) {
        replaceConstantHolder();
        graph.convertToConstants(variables(names));
        version.structureChanged();
    }

    /** Makes constants trainable variables. */
    public void unfreeze(Collection<String> names) {
        graph.convertToVariables(variables(names));
        version.structureChanged();
    }

    /** Returns the names of all trainable variables, in graph order. */
    public List<String> trainables() {
        return graph.variables().stream()
                .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                .map(SDVariable::name)
                .toList();
    }

    /**
     * Gives a constant or variable an array of its own, leaving the former one as it is, and returns the former. SameDiff's
     * gradient function, which holds the former one, is dropped.
     */
    public INDArray replaceArray(String name, INDArray array) {
        ArrayHolder holder = graph.getVariable(name).getVariableType() == VariableType.CONSTANT
                ? graph.getConstantArrays()
                : graph.getVariablesArrays();
        INDArray former = holder.removeArray(name);
        holder.setArray(name, array);
        dropGradientFunction();
        version.valueChanged(name);
        return former;
    }

    /** Gives a constant scalar another value: an array of its own, because others may read the one it has. */
    public void setScalar(String name, double value) {
        INDArray now = graph.getVariable(name).getArr();
        INDArray wanted = Nd4j.scalar(now.dataType(), value);
        if (now.getDouble(0) != wanted.getDouble(0)) {
            replaceArray(name, wanted);
        }
    }

    /**
     * Lets some readers of a constant or variable read a copy of it, so that they keep its numbers.
     *
     * @param copy name of the copy; must be free
     * @param readers names of ops
     */
    public void separate(String name, String copy, Collection<String> readers) {
        graph.constant(copy, graph.getVariable(name).getArr().dup('c'));
        moveReaders(name, copy, new LinkedHashSet<>(readers));
        version.structureChanged();
    }

    /**
     * Lets some readers of a variable read another one.
     *
     * @param readers names of ops
     */
    public void reread(String from, String to, Collection<String> readers) {
        moveReaders(from, to, new LinkedHashSet<>(readers));
        version.structureChanged();
    }

    /** Takes {@link #separate} back: the copy's readers read the original again, and the copy is gone. */
    public void rejoin(String name, String copy) {
        moveReaders(copy, name, new LinkedHashSet<>(Internals.readers(graph, copy)));
        removeVariables(List.of(copy));
        version.structureChanged();
    }

    /** Sets the loss variables, without the check of empty lists that SameDiff's overloads make ambiguous. */
    public void setLosses(List<String> names) {
        graph.setLossVariables(names.toArray(new String[0]));
    }

    /**
     * Drops what was derived from the graph before: SameDiff's gradient function and all its sessions now, plans of open
     * engines at their next call.
     */
    public void invalidate() {
        dropGradientFunction();
        graph.getSessions().clear();
        version.structureChanged();
    }

    private void dropGradientFunction() {
        setLosses(List.copyOf(graph.getLossVariables()));
    }

    private void replaceConstantHolder() {
        ArrayHolder holder = new ThreadSafeArrayHolder(false);
        ArrayHolder current = graph.getConstantArrays();
        for (String name : List.copyOf(current.arrayNames())) {
            holder.setArray(name, current.removeArray(name));
        }
        graph.setConstantArrays(holder);
    }

    private List<SDVariable> variables(Collection<String> names) {
        return names.stream().map(graph::getVariable).toList();
    }

    /** Exchanges which op makes which of two variables, so that {@code second}'s op now makes {@code first}. */
    private void swapProducers(String first, String second) {
        Variable a = Internals.variable(graph, first);
        Variable b = Internals.variable(graph, second);
        SameDiffOp opOfA = producer(a);
        SameDiffOp opOfB = producer(b);
        replaceOutput(opOfA, first, b);
        replaceOutput(opOfB, second, a);
        a.setOutputOfOp(opOfB.getName());
        b.setOutputOfOp(opOfA.getName());
    }

    /** Lets an op that is named like its result follow the result's new name, see {@link OpNames}. */
    private void renameProducer(String variable, String from, String to) {
        if (producer(Internals.variable(graph, variable)).getName().equals(from)) {
            OpNames.rename(graph, from, to);
        }
    }

    private SameDiffOp producer(Variable variable) {
        if (variable.getOutputOfOp() == null) {
            throw new IllegalStateException("the variable `" + variable.getName() + "` is not the result of an op");
        }
        return Internals.op(graph, variable.getOutputOfOp());
    }

    private static void replaceOutput(SameDiffOp op, String from, Variable to) {
        List<String> outputs = new ArrayList<>(op.getOutputsOfOp());
        int index = outputs.indexOf(from);
        outputs.set(index, to.getName());
        op.setOutputsOfOp(outputs);
        if (op.getOp() instanceof DynamicCustomOp) {
            op.getOp().outputVariables()[index] = to.getVariable(); // the op's cache, which serialisation reads
        }
    }

    /** Lets the given ops read {@code to} where they read {@code from}. */
    private void moveReaders(String from, String to, Set<String> ops) {
        Variable source = Internals.variable(graph, from);
        Variable target = Internals.variable(graph, to);
        List<String> readers = new ArrayList<>(source.getInputsForOp() == null ? List.of() : source.getInputsForOp());
        List<String> moved = new ArrayList<>();
        for (String name : ops) {
            SameDiffOp op = Internals.op(graph, name);
            if (op.getInputsToOp() != null && op.getInputsToOp().contains(from)) {
                List<String> inputs = new ArrayList<>(op.getInputsToOp());
                Collections.replaceAll(inputs, from, to);
                op.setInputsToOp(inputs);
                moved.add(name);
            }
        }
        readers.removeAll(moved);
        source.setInputsForOp(readers);
        List<String> joined = new ArrayList<>(target.getInputsForOp() == null ? List.of() : target.getInputsForOp());
        joined.addAll(moved);
        target.setInputsForOp(joined);
    }

    private void removeOps(Set<String> names) {
        for (String name : names) {
            SameDiffOp op = graph.getOps().remove(name);
            if (op == null) {
                continue;
            }
            for (String input : Internals.inputs(op)) {
                List<String> readers = new ArrayList<>(Internals.readers(graph, input));
                readers.remove(name);
                Internals.variable(graph, input).setInputsForOp(readers);
            }
        }
    }

    private void removeVariables(Collection<String> names) {
        List<SDVariable> stored = names.stream()
                .map(graph::getVariable)
                .filter(v -> v.getVariableType() == VariableType.VARIABLE)
                .toList();
        graph.convertToConstants(stored); // drops their updater state
        for (String name : names) {
            graph.getVariables().remove(name);
            graph.getConstantArrays().removeArray(name);
        }
    }
}
