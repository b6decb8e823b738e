package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.ProgramCheck;
import dev.samediff.adapters.engine.program.Rewrite;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Replaces forms by the nodes that compute them, until none is left. A form that cannot apply leaves its nodes alone.
 */
public final class Fusion extends Rewrite implements Site {
    /** Layers that exporters write in single steps. Norms are looked for before what scales and shifts them. */
    static final List<Form> LAYERS = List.of(
            new Activation(),
            new LayerNormalization(),
            new RootMeanSquareNormalization(),
            new NormalizationScale(),
            new NormalizationShift(),
            new WeightedCrossEntropy());

    /** What goes into the matrix product it follows. */
    static final List<Form> PRODUCTS =
            List.of(new ScaledProduct(), new MaskedScores(), new BiasedProduct(), new AccumulatedProduct());

    /** Attention over long texts. */
    static final List<Form> ATTENTION = List.of(new LongAttention());

    private final List<Form> forms;
    private final Set<Tensor> trained;
    private final ScalarFunctions functions;
    private int replaced;

    private Fusion(Program program, Collection<String> trainables, List<Form> forms) {
        super(program);
        this.forms = forms;
        this.trained = program.trained(trainables);
        this.functions = ScalarFunctions.of(program);
    }

    /**
     * Joins the steps of layers, and what follows matrix products.
     *
     * @param program a forward pass
     * @param trainables leaves by which it will be differentiated
     */
    public static Program layers(Program program, Collection<String> trainables) {
        return apply(apply(program, trainables, LAYERS), trainables, PRODUCTS);
    }

    /**
     * Joins what follows matrix products.
     *
     * @param program a forward and backward pass, which will not be differentiated any more
     */
    public static Program products(Program program) {
        return apply(program, Set.of(), PRODUCTS);
    }

    /**
     * Joins attention over long texts; after {@link #layers}.
     *
     * @param program a forward pass
     * @param trainables leaves by which it will be differentiated
     */
    public static Program attention(Program program, Collection<String> trainables) {
        return apply(program, trainables, ATTENTION);
    }

    static Program apply(Program program, Collection<String> trainables, List<Form> forms) {
        Program current = program;
        while (true) {
            Fusion pass = new Fusion(current, trainables, forms);
            Program next = pass.run();
            if (pass.replaced == 0) {
                return current;
            }
            ProgramCheck.afterRewrite(next, "fusion");
            current = next;
        }
    }

    @Override
    protected @Nullable Tensor replacement(Node node) {
        for (Form form : forms) {
            List<Match> found = form.pattern().find(node.output(), Match.in(this));
            if (!found.isEmpty()) {
                Tensor result = form.result(found.get(0));
                if (result.type() != node.output().type()
                        || !result.hasShape(node.output().shape())) {
                    throw new IllegalStateException(
                            "the form " + form.getClass().getSimpleName() + " made " + result + " of " + node.output());
                }
                replaced++;
                return result;
            }
        }
        return null;
    }

    @Override
    public boolean isReadOnce(Tensor tensor) {
        return onlyReadHere(tensor) != null;
    }

    @Override
    public @Nullable INDArray literal(Tensor tensor) {
        return program.literals().get(behindReshapes(tensor));
    }

    @Override
    public boolean isTrained(Tensor tensor) {
        return trained.contains(tensor);
    }

    @Override
    public ScalarFunctions.Function function(Tensor tensor) {
        return functions.function(tensor);
    }

    @Override
    public ProgramBuilder builder() {
        return builder;
    }
}
