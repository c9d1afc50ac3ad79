//! The codes: one a fault, stable, each with what it means.

use std::fmt;

macro_rules! codes {
    ($($name:ident = $text:literal, $meaning:literal;)*) => {
        /// Which fault it is. The text is stable: people search for it and tools match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code as it is printed.
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    // The file.
    Unreadable = "unreadable", "the file cannot be read";
    NotUtf8 = "not-utf8", "the file is not UTF-8 text";
    TooLarge = "too-large", "the file is larger than a pipeline can be";
    Empty = "empty", "the file describes nothing";
    Syntax = "syntax", "the file is not TOML";
    UnknownSection = "unknown-section", "no table of this name can stand at the top";
    UnknownKind = "unknown-kind", "no kind of node has this name";
    ReservedKind = "reserved-kind", "the kind is planned and cannot be used yet";
    Version = "version", "the file is written for another version of the language";
    // Tables and values.
    UnknownKey = "unknown-key", "the table has no such key";
    MissingKey = "missing-key", "a key that has to be there is missing";
    WrongForm = "wrong-form", "the value is of another form than its key wants";
    BadValue = "bad-value", "the value is none of those that can stand here";
    BadName = "bad-name", "the name has characters that names cannot have";
    // Names.
    DuplicateName = "duplicate-name", "two things have the same name";
    UnknownNode = "unknown-node", "no source or node has this name";
    UnknownSchema = "unknown-schema", "no schema has this name";
    UnknownParam = "unknown-param", "no param has this name";
    NotAnInput = "not-an-input", "nothing comes out of this node";
    NoTable = "no-table", "the node has no table";
    Cycle = "cycle", "nodes feed each other in a circle";
    NoOutput = "no-output", "nothing in the file has an effect";
    // Types and shapes.
    BadType = "bad-type", "no type has this name";
    MergeConflict = "merge-conflict", "merged inputs give one field two types";
    CannotGroup = "cannot-group", "a field of this type cannot be grouped by";
    NeedsRepartition = "needs-repartition", "the input is not keyed by what the node groups by";
    TooManyFields = "too-many-fields", "more fields are read and added than a record can carry";
    TooManyPaths = "too-many-paths", "merges and branches multiply into too many paths";
    FieldConflict = "field-conflict", "one field is set, kept, dropped or renamed in two ways";
    Unreachable = "unreachable", "what stands here can never be reached";
    // Settings.
    TopicConflict = "topic-conflict", "a topic is used in two ways that exclude each other";
    BadTest = "bad-test", "a test does what a test cannot do";
    TestFailed = "test-failed", "what a test expects is not what comes out";
    // Warnings.
    Unused = "unused", "something is declared and never used";
    LooksLikeExpression = "looks-like-expression", "a plain value reads like an expression";
    TwicePassed = "twice-passed", "a record can pass a merge twice";
    // Expressions.
    ExpressionSyntax = "expression-syntax", "the expression cannot be parsed";
    ExpressionTooLong = "expression-too-long", "the expression is longer or deeper than it may be";
    UnknownField = "unknown-field", "no field and no param has this name";
    UnknownFunction = "unknown-function", "no function has this name";
    ArgumentCount = "argument-count", "a function is called with too few or too many arguments";
    TypeMismatch = "type-mismatch", "a value of another type is needed here";
    MayBeAbsent = "may-be-absent", "a value is needed, but this one may be absent";
    AmbiguousName = "ambiguous-name", "the name is both a field and a param";
    AggregateOutsideCompute = "aggregate-outside-compute", "an aggregate stands where there is one record";
    BareFieldInCompute = "bare-field-in-compute", "a field stands where there are many records";
    ConstantFails = "constant-fails", "the expression fails whatever the record";
    IntegerDivision = "integer-division", "dividing integers drops the fraction";
    BadPattern = "bad-pattern", "a regular expression or a time format cannot be used";
    NeedsConstant = "needs-constant", "a value that is known at check time is needed here";
    GenerateOnly = "generate-only", "the function is for generated records only";
    // librdkafka's properties.
    UnknownProperty = "unknown-property", "librdkafka has no such property, or its other client has it";
    BadProperty = "bad-property", "a property is set to what librdkafka does not take";
    RefusedProperty = "refused-property", "a property is streamrun's own, or its value would break the guarantee";
    IdleProperty = "idle-property", "the property has no effect";
    SecretInFile = "secret-in-file", "a secret stands in the file";
    // What `check --kafka` finds on the cluster.
    ClusterUnreachable = "cluster-unreachable", "the cluster does not answer, or does not let us in";
    NotPermitted = "not-permitted", "the cluster does not let the user do what the pipeline needs";
    NoTransactions = "no-transactions", "the cluster does not begin a transaction";
    MissingTopic = "missing-topic", "a topic that the file names is not there";
    PartitionCount = "partition-count", "a topic has other partitions than it should have";
    BadChangelog = "bad-changelog", "a table's changelog cannot keep the table";
    TopicSetting = "topic-setting", "a setting of a topic does not go with what the pipeline does";
    WrongKey = "wrong-key", "records have another key than their source promises";
    WrongPartition = "wrong-partition", "records lie in another partition than their key's";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|c| c.text()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
