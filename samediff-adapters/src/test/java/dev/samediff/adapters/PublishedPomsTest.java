package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.lang.model.SourceVersion;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * What users of a library read of its pom. Gradle reads no profiles, so that a property which only a profile defines ends its
 * resolution: "Could not find javacpp-1.5.12-${javacpp.platform}.jar".
 */
class PublishedPomsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern PROPERTY = Pattern.compile("\\$\\{([^}]+)}");

    private static Element pom(String module) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            return factory.newDocumentBuilder()
                    .parse(ROOT.resolve(module).resolve("pom.xml").toFile())
                    .getDocumentElement();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<Element> children(Element parent) {
        return IntStream.range(0, parent.getChildNodes().getLength())
                .mapToObj(parent.getChildNodes()::item)
                .filter(node -> node.getNodeType() == Node.ELEMENT_NODE)
                .map(Element.class::cast);
    }

    private static Optional<Element> child(Element parent, String name) {
        return children(parent)
                .filter(element -> element.getTagName().equals(name))
                .findFirst();
    }

    private static Set<String> properties(Element pom) {
        Set<String> names = new LinkedHashSet<>();
        child(pom, "properties").ifPresent(list -> children(list).forEach(each -> names.add(each.getTagName())));
        return names;
    }

    private static boolean isPublished(Element dependency) {
        return child(dependency, "scope")
                .map(Element::getTextContent)
                .filter("test"::equals)
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"samediff-adapters", "import", "dl4j-integration", "tuning"})
    void dependencies_name_nothing_that_only_a_profile_knows(String module) {
        Element pom = pom(module);
        Set<String> known = properties(pom("."));
        known.addAll(properties(pom));
        List<String> unknown = new ArrayList<>();
        List<Element> dependencies = child(pom, "dependencies").stream()
                .flatMap(PublishedPomsTest::children)
                .filter(PublishedPomsTest::isPublished)
                .toList();
        assertThat(dependencies).isNotEmpty();
        for (Element dependency : dependencies) {
            Matcher matcher = PROPERTY.matcher(dependency.getTextContent());
            while (matcher.find()) {
                if (!known.contains(matcher.group(1)) && !matcher.group(1).startsWith("project.")) {
                    unknown.add(matcher.group());
                }
            }
        }
        assertThat(unknown).isEmpty();
    }

    @Test
    void every_jar_has_a_module_name_that_java_takes() throws IOException {
        assertThat(Files.readString(ROOT.resolve("pom.xml"))).contains("<Automatic-Module-Name>${module.name}<");
        List<String> names = Stream.of("samediff-adapters", "import", "dl4j-integration", "tuning", "samples")
                .map(module -> child(pom(module), "properties")
                        .flatMap(list -> child(list, "module.name"))
                        .orElseThrow()
                        .getTextContent())
                .toList();
        assertThat(names).doesNotHaveDuplicates().allMatch(SourceVersion::isName);
    }
}
