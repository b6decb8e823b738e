package dev.samediff.adapters.testing;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.IntersectionType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.type.TypeVariable;
import javax.lang.model.type.WildcardType;
import javax.lang.model.util.ElementFilter;
import javax.lang.model.util.Elements;
import javax.lang.model.util.Types;

/** Which types compare arrays when they are compared: arrays, what is generic in them, records and classes of them. */
final class ArrayTypes {
    private static final String ARRAY = "org.nd4j.linalg.api.ndarray.INDArray";

    private final Types types;
    private final TypeMirror array;
    private final Map<String, Boolean> known = new HashMap<>();

    ArrayTypes(Types types, Elements elements) {
        this.types = types;
        TypeElement found = elements.getTypeElement(ARRAY);
        if (found == null) {
            throw new IllegalStateException(ARRAY + " is not on the class path");
        }
        array = types.erasure(found.asType());
    }

    /** Whether equality of two values of the type is, or rests on, equality of arrays. */
    boolean compare(TypeMirror type) {
        return type instanceof DeclaredType declared
                        && declared.getTypeArguments().isEmpty()
                ? known.computeIfAbsent(type.toString(), name -> compare(type, new HashSet<>()))
                : compare(type, new HashSet<>());
    }

    private boolean compare(TypeMirror type, Set<String> seen) {
        return switch (type.getKind()) {
            case ARRAY -> compare(((ArrayType) type).getComponentType(), seen);
            case TYPEVAR -> fresh(type, seen) && compare(((TypeVariable) type).getUpperBound(), seen);
            case WILDCARD -> {
                TypeMirror bound = ((WildcardType) type).getExtendsBound();
                yield bound != null && compare(bound, seen);
            }
            case INTERSECTION -> any(((IntersectionType) type).getBounds(), seen);
            case DECLARED -> fresh(type, seen) && compareDeclared((DeclaredType) type, seen);
            default -> false;
        };
    }

    private static boolean fresh(TypeMirror type, Set<String> seen) {
        return seen.add(type.toString());
    }

    private boolean any(List<? extends TypeMirror> all, Set<String> seen) {
        return all.stream().anyMatch(each -> compare(each, seen));
    }

    private boolean compareDeclared(DeclaredType type, Set<String> seen) {
        TypeElement element = (TypeElement) type.asElement();
        return types.isSubtype(types.erasure(type), array)
                || any(type.getTypeArguments(), seen)
                || any(types.directSupertypes(type), seen)
                || isValue(element) && any(fields(type, element), seen);
    }

    /** Records, and classes with an equality of their own: it looks at their fields. */
    private static boolean isValue(TypeElement element) {
        return element.getKind() == ElementKind.RECORD
                || ElementFilter.methodsIn(element.getEnclosedElements()).stream()
                        .anyMatch(ArrayTypes::isEquals);
    }

    private static boolean isEquals(ExecutableElement method) {
        return method.getSimpleName().contentEquals("equals")
                && method.getParameters().size() == 1
                && method.getParameters().get(0).asType().toString().equals("java.lang.Object")
                && !method.getModifiers().contains(Modifier.ABSTRACT)
                && method.getEnclosingElement().getKind() == ElementKind.CLASS
                && !method.getEnclosingElement().toString().equals("java.lang.Object");
    }

    private List<TypeMirror> fields(DeclaredType type, TypeElement element) {
        return ElementFilter.fieldsIn(element.getEnclosedElements()).stream()
                .filter(field -> !field.getModifiers().contains(Modifier.STATIC))
                .map((Element field) -> types.asMemberOf(type, field))
                .filter(each -> each.getKind() != TypeKind.ERROR)
                .toList();
    }
}
