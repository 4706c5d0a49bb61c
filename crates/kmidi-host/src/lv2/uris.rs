//! The URIs of LV2 that this host knows.

macro_rules! uris {
    ($($prefix:literal: $($name:ident = $tail:literal),* ;)*) => {
        $($(pub const $name: &str = concat!($prefix, $tail);)*)*
    };
}

uris! {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#":
        RDF_TYPE = "type", RDF_VALUE = "value", RDF_FIRST = "first", RDF_REST = "rest";
    "http://www.w3.org/2000/01/rdf-schema#":
        RDFS_SEE_ALSO = "seeAlso", RDFS_LABEL = "label", RDFS_RANGE = "range";
    "http://www.w3.org/2001/XMLSchema#":
        XSD = "";
    "http://usefulinc.com/ns/doap#":
        DOAP_NAME = "name", DOAP_MAINTAINER = "maintainer", DOAP_DEVELOPER = "developer";
    "http://xmlns.com/foaf/0.1/":
        FOAF_NAME = "name";
    "http://lv2plug.in/ns/lv2core#":
        LV2_PLUGIN = "Plugin", LV2_BINARY = "binary", LV2_PROJECT = "project",
        LV2_MINOR_VERSION = "minorVersion", LV2_MICRO_VERSION = "microVersion",
        LV2_PORT = "port", LV2_INDEX = "index", LV2_SYMBOL = "symbol", LV2_NAME = "name",
        LV2_MINIMUM = "minimum", LV2_MAXIMUM = "maximum", LV2_DEFAULT = "default",
        LV2_PORT_PROPERTY = "portProperty", LV2_SCALE_POINT = "scalePoint",
        LV2_DESIGNATION = "designation", LV2_IS_SIDE_CHAIN = "isSideChain",
        LV2_REQUIRED_FEATURE = "requiredFeature", LV2_OPTIONAL_FEATURE = "optionalFeature",
        LV2_APPLIES_TO = "appliesTo",
        LV2_INPUT_PORT = "InputPort", LV2_OUTPUT_PORT = "OutputPort", LV2_AUDIO_PORT = "AudioPort",
        LV2_CONTROL_PORT = "ControlPort", LV2_CV_PORT = "CVPort",
        LV2_TOGGLED = "toggled", LV2_INTEGER = "integer", LV2_ENUMERATION = "enumeration",
        LV2_SAMPLE_RATE = "sampleRate", LV2_REPORTS_LATENCY = "reportsLatency",
        LV2_LATENCY = "latency", LV2_FREE_WHEELING = "freeWheeling", LV2_ENABLED = "enabled",
        LV2_CONTROL = "control", LV2_INSTRUMENT = "InstrumentPlugin", LV2_MIDI_PLUGIN = "MIDIPlugin",
        LV2_ANALYSER = "AnalyserPlugin", LV2_IS_LIVE = "isLive", LV2_HARD_RT = "hardRTCapable",
        LV2_IN_PLACE_BROKEN = "inPlaceBroken";
    "http://lv2plug.in/ns/ext/port-props#":
        PPROPS_NOT_ON_GUI = "notOnGUI", PPROPS_SUPPORTS_STRICT_BOUNDS = "supportsStrictBounds";
    "http://lv2plug.in/ns/ext/port-groups#":
        PG_GROUP = "group", PG_SIDE_CHAIN_OF = "sideChainOf", PG_MAIN_INPUT = "mainInput",
        PG_MAIN_OUTPUT = "mainOutput";
    "http://lv2plug.in/ns/extensions/units#":
        UNITS = "", UNITS_UNIT = "unit", UNITS_RENDER = "render", UNITS_SYMBOL = "symbol";
    "http://lv2plug.in/ns/ext/resize-port#":
        RSZ_MINIMUM_SIZE = "minimumSize", RSZ_RESIZE = "resize";
    "http://lv2plug.in/ns/ext/atom#":
        ATOM = "", ATOM_PORT = "AtomPort", ATOM_SUPPORTS = "supports",
        ATOM_SEQUENCE = "Sequence", ATOM_CHUNK = "Chunk", ATOM_OBJECT = "Object", ATOM_BLANK = "Blank",
        ATOM_RESOURCE = "Resource", ATOM_FLOAT = "Float", ATOM_DOUBLE = "Double", ATOM_INT = "Int",
        ATOM_LONG = "Long", ATOM_BOOL = "Bool", ATOM_STRING = "String", ATOM_PATH = "Path",
        ATOM_URID = "URID", ATOM_URI = "URI", ATOM_VECTOR = "Vector", ATOM_TUPLE = "Tuple",
        ATOM_PROPERTY = "Property", ATOM_LITERAL = "Literal", ATOM_CHILD_TYPE = "childType";
    "http://lv2plug.in/ns/ext/midi#":
        MIDI_EVENT = "MidiEvent";
    "http://lv2plug.in/ns/ext/patch#":
        PATCH_WRITABLE = "writable", PATCH_READABLE = "readable", PATCH_MESSAGE = "Message",
        PATCH_SET = "Set", PATCH_GET = "Get", PATCH_PUT = "Put", PATCH_PROPERTY = "property",
        PATCH_VALUE = "value", PATCH_BODY = "body";
    "http://lv2plug.in/ns/ext/time#":
        TIME = "", TIME_POSITION = "Position", TIME_FRAME = "frame", TIME_SPEED = "speed",
        TIME_BAR = "bar", TIME_BAR_BEAT = "barBeat", TIME_BEAT_UNIT = "beatUnit",
        TIME_BEATS_PER_BAR = "beatsPerBar", TIME_BEATS_PER_MINUTE = "beatsPerMinute";
    "http://lv2plug.in/ns/ext/presets#":
        PSET_PRESET = "Preset", PSET_VALUE = "value";
    "http://lv2plug.in/ns/ext/state#":
        STATE_STATE = "state", STATE_INTERFACE = "interface", STATE_MAKE_PATH = "makePath",
        STATE_MAP_PATH = "mapPath", STATE_FREE_PATH = "freePath",
        STATE_THREAD_SAFE_RESTORE = "threadSafeRestore", STATE_LOAD_DEFAULT = "loadDefaultState";
    "http://lv2plug.in/ns/ext/urid#":
        URID_MAP = "map", URID_UNMAP = "unmap";
    "http://lv2plug.in/ns/ext/uri-map":
        URI_MAP = "";
    "http://lv2plug.in/ns/ext/options#":
        OPTIONS = "options";
    "http://lv2plug.in/ns/ext/worker#":
        WORKER_SCHEDULE = "schedule", WORKER_INTERFACE = "interface";
    "http://lv2plug.in/ns/ext/buf-size#":
        BUF_BOUNDED = "boundedBlockLength", BUF_FIXED = "fixedBlockLength",
        BUF_POWER_OF_2 = "powerOf2BlockLength", BUF_COARSE = "coarseBlockLength",
        BUF_MIN = "minBlockLength", BUF_MAX = "maxBlockLength", BUF_NOMINAL = "nominalBlockLength",
        BUF_SEQUENCE_SIZE = "sequenceSize";
    "http://lv2plug.in/ns/ext/parameters#":
        PARAM = "", PARAM_SAMPLE_RATE = "sampleRate";
}
