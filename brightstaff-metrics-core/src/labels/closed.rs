//! What a closed label is made of.

/// Something that has a place in an array with one place for each of its values.
pub(crate) trait Index: Copy {
    const COUNT: usize;
    fn index(self) -> usize;
}

impl<A: Index, B: Index> Index for (A, B) {
    const COUNT: usize = A::COUNT * B::COUNT;
    fn index(self) -> usize {
        self.0.index() * B::COUNT + self.1.index()
    }
}

/// A closed label.
pub(crate) trait Label: Index + 'static {
    const ALL: &'static [Self];
    /// What every value means, in the same order.
    const MEANINGS: &'static [&'static str];
    fn as_str(self) -> &'static str;
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident = $label:literal { $($(#[doc = $vdoc:literal])* $variant:ident => $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $vdoc])* #[doc = concat!("\n\nLabel value `", $value, "`.")] $variant,)+
        }

        impl $name {
            /// The name of the label.
            pub const NAME: &'static str = $label;

            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every value as it stands in the exposition, in the same order.
            pub(crate) const VALUES: &'static [&'static str] = &[$($value),+];

            /// The value as it stands in the exposition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }
        }

        impl Index for $name {
            const COUNT: usize = Self::ALL.len();
            fn index(self) -> usize { self as usize }
        }

        impl Label for $name {
            const ALL: &'static [Self] = Self::ALL;
            const MEANINGS: &'static [&'static str] = &[$(concat!($($vdoc),*).trim_ascii()),+];
            fn as_str(self) -> &'static str { self.as_str() }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use label;
