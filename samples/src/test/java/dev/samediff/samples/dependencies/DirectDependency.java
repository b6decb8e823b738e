package dev.samediff.samples.dependencies;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/**
 * What a pom asks for by itself.
 *
 * @param name group and artifact
 * @param scope scope, also where the root's pom says it
 */
record DirectDependency(String name, String scope) {
    static List<DirectDependency> of(Path pom) throws IOException {
        try {
            Element project = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(pom.toFile())
                    .getDocumentElement();
            List<DirectDependency> dependencies = new ArrayList<>();
            for (Element list : children(project, "dependencies")) {
                children(list, "dependency").forEach(entry -> dependencies.add(of(entry)));
            }
            return dependencies;
        } catch (SAXException | ParserConfigurationException e) {
            throw new IOException(pom + " cannot be read", e);
        }
    }

    private static DirectDependency of(Element entry) {
        String artifact = text(entry, "artifactId", "").replace("${nd4j.backend}", "nd4j-native");
        String managed = artifact.startsWith("spark-core")
                ? "provided"
                : text(entry, "type", "jar").equals("test-jar") ? "test" : "compile";
        return new DirectDependency(text(entry, "groupId", "") + ":" + artifact, text(entry, "scope", managed));
    }

    private static String text(Element parent, String name, String absent) {
        List<Element> found = children(parent, name);
        return found.isEmpty() ? absent : found.get(0).getTextContent().strip();
    }

    private static List<Element> children(Element parent, String name) {
        List<Element> found = new ArrayList<>();
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element element && element.getTagName().equals(name)) {
                found.add(element);
            }
        }
        return found;
    }
}
