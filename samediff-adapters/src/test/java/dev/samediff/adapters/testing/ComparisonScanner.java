package dev.samediff.adapters.testing;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.TypeCastTree;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.type.TypeMirror;
import org.jspecify.annotations.Nullable;

/**
 * Finds, in one source file, the comparisons that come down to {@code INDArray.equals}: {@code equals} in all its forms,
 * what collections do by it ({@code contains}, {@code indexOf}), JUnit's {@code assertEquals}, and AssertJ's family of
 * {@code isEqualTo}, each on an array or on something that holds arrays. Identity ({@code isSameAs}), sizes and keys
 * are free.
 */
final class ComparisonScanner extends TreePathScanner<@Nullable Void, @Nullable Void> {
    private static final Set<String> EQUALITY = Set.of("equals", "deepEquals", "equalsWithEps", "equalsTo");
    private static final Set<String> SEARCH =
            Set.of("contains", "containsValue", "containsAll", "indexOf", "lastIndexOf", "retainAll", "removeAll");
    private static final Pattern JUNIT = Pattern.compile("assert(Not|Array|Iterable)?Equals");
    private static final Pattern ASSERTJ = Pattern.compile("is(Not)?EqualTo.*|isIn|isNotIn|(contains|doesNotContain).*"
            + "|startsWith|endsWith|isSubsetOf|hasSameElementsAs|hasSameHashCodeAs|hasValue|hasFieldOrPropertyWithValue"
            + "|doesNotHaveDuplicates|returns|doesNotReturn");
    private static final Pattern KEYS_AND_IDENTITY =
            Pattern.compile("(contains|doesNotContain)(Only)?(Keys?|Nulls?|InstanceOf|Same)");

    private final CompilationUnitTree unit;
    private final Trees trees;
    private final ArrayTypes arrays;
    private final List<String> found;

    ComparisonScanner(Trees trees, ArrayTypes arrays, CompilationUnitTree unit, List<String> found) {
        this.trees = trees;
        this.arrays = arrays;
        this.unit = unit;
        this.found = found;
    }

    @Override
    public @Nullable Void visitMethodInvocation(MethodInvocationTree call, @Nullable Void none) {
        Element method = trees.getElement(new TreePath(getCurrentPath(), call.getMethodSelect()));
        if (method != null && isForbidden(call, method)) {
            report(call, method);
        }
        return super.visitMethodInvocation(call, none);
    }

    @Override
    public @Nullable Void visitMemberReference(MemberReferenceTree reference, @Nullable Void none) {
        if (EQUALITY.contains(reference.getName().toString())
                && (compares(reference.getQualifierExpression()) || compares(reference))) {
            report(reference, reference.getName());
        }
        return super.visitMemberReference(reference, none);
    }

    private boolean isForbidden(MethodInvocationTree call, Element method) {
        String name = method.getSimpleName().toString();
        String owner = method.getEnclosingElement().toString();
        if (owner.startsWith("org.assertj.")) {
            return ASSERTJ.matcher(name).matches()
                    && !KEYS_AND_IDENTITY.matcher(name).matches()
                    && (receiverCompares(call) || argumentsCompare(call) || actualCompares(call));
        }
        if (owner.startsWith("org.junit.")) {
            return JUNIT.matcher(name).matches() && argumentsCompare(call);
        }
        if (EQUALITY.contains(name)) {
            return receiverCompares(call) || argumentsCompare(call);
        }
        return SEARCH.contains(name) && argumentsCompare(call)
                || name.equals("distinct") && owner.startsWith("java.util.stream.") && receiverCompares(call);
    }

    private boolean receiverCompares(MethodInvocationTree call) {
        return call.getMethodSelect() instanceof MemberSelectTree select && compares(select.getExpression());
    }

    private boolean argumentsCompare(MethodInvocationTree call) {
        return call.getArguments().stream().anyMatch(this::compares);
    }

    /** Looks, where the assertion itself has lost the type, at what {@code assertThat} was given. */
    private boolean actualCompares(MethodInvocationTree call) {
        if (!(call.getMethodSelect() instanceof MemberSelectTree select) || !hasLostItsType(select.getExpression())) {
            return false;
        }
        ExpressionTree receiver = select.getExpression();
        while (receiver instanceof MethodInvocationTree inner) {
            if (!(inner.getMethodSelect() instanceof MemberSelectTree next)
                    || next.getIdentifier().contentEquals("assertThat")) {
                return argumentsCompare(inner);
            }
            receiver = next.getExpression();
        }
        return false;
    }

    private boolean hasLostItsType(ExpressionTree assertion) {
        TypeMirror type = type(assertion);
        return type instanceof DeclaredType declared
                && (declared.toString().contains("RecursiveComparisonAssert")
                        || declared.getTypeArguments().stream()
                                .anyMatch(each -> each.toString().equals("java.lang.Object")));
    }

    private boolean compares(Tree tree) {
        return Stream.of(tree, uncast(tree))
                .map(this::type)
                .anyMatch(type -> type != null && type.getKind() != TypeKind.ERROR && arrays.compare(type));
    }

    private static Tree uncast(Tree tree) {
        if (tree instanceof ParenthesizedTree parentheses) {
            return uncast(parentheses.getExpression());
        }
        return tree instanceof TypeCastTree cast ? uncast(cast.getExpression()) : tree;
    }

    private @Nullable TypeMirror type(Tree tree) {
        return trees.getTypeMirror(new TreePath(getCurrentPath(), tree));
    }

    private void report(Tree tree, Object what) {
        long line = unit.getLineMap().getLineNumber(trees.getSourcePositions().getEndPosition(unit, tree));
        Path file = Path.of(unit.getSourceFile().toUri().getSchemeSpecificPart());
        found.add(file.getFileName() + ":" + line + " " + what);
    }
}
