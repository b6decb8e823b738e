package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The stored floating-point tensors of a graph by the names that they have in PyTorch: module path, dot, parameter.
 *
 * <p>A layer's weight is {@code <module>.weight}; what is added to its result is {@code <module>.bias}, whatever its variable is
 * called; everything else has the name of its variable.
 *
 * @param byKey tensors by that name, in a fixed order
 * @param biases the variables that are added to linear layers' results, by module path; one may belong to several layers
 */
public record ModuleTensors(Map<String, Tensor> byKey, Map<String, String> biases) {
    private static final Set<String> STEPS = Set.of("reshape", "identity");

    /**
     * One tensor.
     *
     * @param key its name in PyTorch, such as {@code classifier.weight}
     * @param variable the graph's variable
     * @param transposed whether the graph has the transpose of what PyTorch's module holds: a linear layer's weight is
     *     [out,in] there
     * @param kernel sizes of the kernel, if it is a convolution's weight, which is [out,in,kernel...] there; none otherwise
     */
    public record Tensor(String key, String variable, boolean transposed, List<Integer> kernel) {
        /** Describes a tensor that is no convolution's weight. */
        public Tensor(String key, String variable, boolean transposed) {
            this(key, variable, transposed, List.of());
        }

        /** Returns the module path; the key itself if it has no dot. */
        public String module() {
            int dot = key.lastIndexOf('.');
            return dot < 0 ? key : key.substring(0, dot);
        }

        /** Returns whether the parameter is a bias, by PEFT's rule: its name says so. */
        public boolean isBias() {
            return key.substring(key.lastIndexOf('.') + 1).contains("bias");
        }

        /** Returns the module that a choice means when it chooses this tensor, if it does. */
        public Optional<String> chosenBy(ModuleMatch choice) {
            for (int dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
                if (choice.matches(key.substring(0, dot))) {
                    return Optional.of(key.substring(0, dot));
                }
            }
            boolean named = choice.names().contains(key) || choice.names().contains(variable);
            return named || (choice.regex().isPresent() && choice.matches(key))
                    ? Optional.of(module())
                    : Optional.empty();
        }

        /** Turns values as the graph has them into PyTorch's form; a view where it must be turned. */
        public INDArray asModule(INDArray values) {
            return ConvolutionKernels.unfolded(transposed ? values.transpose() : values, kernel);
        }

        /**
         * Turns values in PyTorch's form into the graph's; a view where they must be turned.
         *
         * @param values shaped as {@link #asModule} gives them
         * @param shape the shape that the graph has
         */
        public INDArray asStored(INDArray values, long... shape) {
            return transposed ? values.transpose() : values.dup('c').reshape(shape);
        }
    }

    public ModuleTensors {
        byKey = Collections.unmodifiableMap(new LinkedHashMap<>(byKey));
        biases = Collections.unmodifiableMap(new LinkedHashMap<>(biases));
    }

    /**
     * Finds them.
     *
     * @param graph the graph, not modified
     * @param layers its layers
     */
    public static ModuleTensors of(SameDiff graph, AdaptableLayers layers) {
        Map<String, Tensor> byKey = new LinkedHashMap<>();
        Set<String> named = new HashSet<>();
        for (AdaptableSite site : layers.sites()) {
            if (site.kind() == SiteKind.EXPERTS) {
                continue; // a parameter of its own name
            }
            boolean transposed = site.kind() == SiteKind.LINEAR && site.orientation() == Orientation.IN_OUT;
            String key = site.module() + ".weight";
            byKey.put(key, new Tensor(key, site.weight(), transposed, site.kernel()));
            named.add(site.weight());
        }
        Map<String, String> biases = new LinkedHashMap<>();
        for (AdaptableSite site : layers.sites()) {
            if (site.kind() == SiteKind.LINEAR) {
                String key = site.module() + ".bias";
                Optional<String> added = addedTo(graph, site);
                added.or(() -> Optional.of(key)
                                .filter(name ->
                                        graph.hasVariable(name) && isVector(graph.getVariable(name), site.out())))
                        .ifPresent(bias -> biases.put(site.module(), bias));
                added.ifPresent(bias -> {
                    if (!graph.hasVariable(key) && named.add(bias)) {
                        byKey.put(key, new Tensor(key, bias, false));
                    }
                });
            }
        }
        for (SDVariable variable : graph.variables()) {
            String name = variable.name();
            if (isStored(variable) && !named.contains(name) && !AdapterTensors.isOne(name)) {
                byKey.putIfAbsent(name, new Tensor(name, name, false));
            }
        }
        return new ModuleTensors(byKey, biases);
    }

    /** The vector [out] that is added to a layer's result. */
    private static Optional<String> addedTo(SameDiff graph, AdaptableSite site) {
        for (AdaptableSite.Use use : site.uses()) {
            List<String> open = new ArrayList<>(List.of(use.output()));
            while (!open.isEmpty()) {
                String value = open.remove(0);
                for (String reader : Internals.readers(graph, value)) {
                    String type = Internals.op(graph, reader).getOp().opName();
                    if (STEPS.contains(type)) {
                        open.add(Internals.op(graph, reader).getOutputsOfOp().get(0));
                    } else if (type.equals("add")) {
                        for (String input : Internals.inputs(Internals.op(graph, reader))) {
                            if (isVector(graph.getVariable(input), site.out())) {
                                return Optional.of(input);
                            }
                        }
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isVector(SDVariable variable, int length) {
        return isStored(variable)
                && variable.getArr().rank() == 1
                && variable.getArr().length() == length;
    }

    private static boolean isStored(SDVariable variable) {
        boolean stored = variable.getVariableType() == VariableType.VARIABLE
                || variable.getVariableType() == VariableType.CONSTANT;
        return stored && variable.dataType().isFPType() && variable.getArr() != null;
    }
}
