/* Writes what lilv knows of every plugin on LV2_PATH: a line for each fact, its fields separated by tabs. */
#include <lilv/lilv.h>
#include <stdio.h>
#include <string.h>

#define LV2 "http://lv2plug.in/ns/lv2core#"
#define EXT "http://lv2plug.in/ns/ext/"
#define UNITS "http://lv2plug.in/ns/extensions/units#"
#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define RDFS "http://www.w3.org/2000/01/rdf-schema#"

static LilvWorld* world;

static LilvNode* uri(const char* text) { return lilv_new_uri(world, text); }

static void field(const char* text) {
    putchar('\t');
    for (; text && *text; ++text) {
        putchar(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text);
    }
}

static void line(const char* name, const LilvNode* value) {
    if (value) {
        fputs(name, stdout);
        field(lilv_node_as_string(value));
        putchar('\n');
    }
}

static void lines(const char* name, LilvNodes* values) {
    LILV_FOREACH (nodes, i, values) {
        line(name, lilv_nodes_get(values, i));
    }
    lilv_nodes_free(values);
}

/* The objects of a subject. */
static LilvNodes* all(const LilvNode* subject, const char* predicate) {
    return lilv_world_find_nodes(world, subject, uri(predicate), NULL);
}

static LilvNode* first(const LilvNode* subject, const char* predicate) {
    return lilv_world_get(world, subject, uri(predicate), NULL);
}

static void number(const char* name, const LilvNode* value) {
    if (value && (lilv_node_is_float(value) || lilv_node_is_int(value) || lilv_node_is_bool(value))) {
        const int is_bool = lilv_node_is_bool(value);
        printf("%s\t%.9g\n", name, is_bool ? (float)lilv_node_as_bool(value) : lilv_node_as_float(value));
    }
}

static void points(const LilvNode* subject) {
    LilvNodes* list = all(subject, LV2 "scalePoint");
    LILV_FOREACH (nodes, i, list) {
        const LilvNode* point = lilv_nodes_get(list, i);
        const LilvNode* value = first(point, RDF "value");
        const LilvNode* label = first(point, RDFS "label");
        if (value && label) {
            printf("point\t%.9g", lilv_node_as_float(value));
            field(lilv_node_as_string(label));
            putchar('\n');
        }
    }
    lilv_nodes_free(list);
}

static void unit(const LilvNode* subject) {
    const LilvNode* value = first(subject, UNITS "unit");
    if (value) {
        line("unit", value);
        line("unit symbol", first(value, UNITS "symbol"));
        line("unit label", first(value, RDFS "label"));
        line("unit render", first(value, UNITS "render"));
    }
}

static void ranges(const LilvNode* subject) {
    number("min", first(subject, LV2 "minimum"));
    number("max", first(subject, LV2 "maximum"));
    number("default", first(subject, LV2 "default"));
}

static void port(const LilvPlugin* plugin, uint32_t index) {
    const LilvPort* port = lilv_plugin_get_port_by_index(plugin, index);
    const LilvNode* subject = lilv_port_get_node(plugin, port);
    printf("PORT\t%u\n", index);
    line("symbol", lilv_port_get_symbol(plugin, port));
    line("name", lilv_port_get_name(plugin, port));
    const LilvNodes* classes = lilv_port_get_classes(plugin, port);
    LILV_FOREACH (nodes, i, classes) {
        line("type", lilv_nodes_get(classes, i));
    }
    lines("property", lilv_port_get_properties(plugin, port));
    line("group", lilv_port_get(plugin, port, uri(EXT "port-groups#group")));
    line("designation", lilv_port_get(plugin, port, uri(LV2 "designation")));
    ranges(subject);
    points(subject);
    unit(subject);
    lines("supports", all(subject, EXT "atom#supports"));
    number("bytes", lilv_port_get(plugin, port, uri(EXT "resize-port#minimumSize")));
}

static void property(const LilvNode* subject, const char* access) {
    fputs("PROPERTY", stdout);
    field(lilv_node_as_string(subject));
    field(access);
    putchar('\n');
    line("label", first(subject, RDFS "label"));
    line("range", first(subject, RDFS "range"));
    ranges(subject);
    points(subject);
    unit(subject);
}

static void properties(const LilvPlugin* plugin, const char* predicate, const char* access) {
    LilvNodes* list = lilv_plugin_get_value(plugin, uri(predicate));
    LILV_FOREACH (nodes, i, list) {
        property(lilv_nodes_get(list, i), access);
    }
    lilv_nodes_free(list);
}

static void preset(const LilvNode* subject) {
    lilv_world_load_resource(world, subject);
    fputs("PRESET", stdout);
    field(lilv_node_as_string(subject));
    putchar('\n');
    line("label", first(subject, RDFS "label"));
    LilvNodes* ports = all(subject, LV2 "port");
    LILV_FOREACH (nodes, i, ports) {
        const LilvNode* port = lilv_nodes_get(ports, i);
        const LilvNode* symbol = first(port, LV2 "symbol");
        const LilvNode* value = first(port, EXT "presets#value");
        if (symbol && value) {
            printf("value\t%s\t%.9g\n", lilv_node_as_string(symbol), lilv_node_as_float(value));
        }
    }
    lilv_nodes_free(ports);
}

static void plugin_facts(const LilvPlugin* plugin) {
    line("PLUGIN", lilv_plugin_get_uri(plugin));
    line("name", lilv_plugin_get_name(plugin));
    line("author", lilv_plugin_get_author_name(plugin));
    line("binary", lilv_plugin_get_library_uri(plugin));
    line("bundle", lilv_plugin_get_bundle_uri(plugin));
    lines("class", lilv_plugin_get_value(plugin, uri(RDF "type")));
    lines("required", lilv_plugin_get_required_features(plugin));
    lines("optional", lilv_plugin_get_optional_features(plugin));
    lines("minor", lilv_plugin_get_value(plugin, uri(LV2 "minorVersion")));
    lines("micro", lilv_plugin_get_value(plugin, uri(LV2 "microVersion")));
    if (lilv_plugin_has_latency(plugin)) {
        printf("latency\t%u\n", lilv_plugin_get_latency_port_index(plugin));
    }
    for (uint32_t i = 0; i < lilv_plugin_get_num_ports(plugin); ++i) {
        port(plugin, i);
    }
    properties(plugin, EXT "patch#writable", "writable");
    properties(plugin, EXT "patch#readable", "readable");
    LilvNodes* presets = lilv_plugin_get_related(plugin, uri(EXT "presets#Preset"));
    LILV_FOREACH (nodes, i, presets) {
        preset(lilv_nodes_get(presets, i));
    }
    lilv_nodes_free(presets);
}

int main(void) {
    world = lilv_world_new();
    lilv_world_load_all(world);
    const LilvPlugins* plugins = lilv_world_get_all_plugins(world);
    LILV_FOREACH (plugins, i, plugins) {
        plugin_facts(lilv_plugins_get(plugins, i));
    }
    return 0;
}
