//! The arguments of variadic calls.
//!
//! Stable Rust cannot define C-variadic functions, but a function with fixed parameters can take their
//! place. The System V x86-64 and AAPCS64 calling conventions pass the integers and pointers of a
//! variadic call in the ordinary integer registers and its doubles in the ordinary floating-point ones,
//! each counted on its own. The Windows x64 convention has one slot for each argument, and a double is
//! in the integer register of its slot too. Parameters that the caller did not fill are undefined and
//! are not used.

/// The arguments that a call has after the named ones.
pub(super) struct Arguments {
    integers: [usize; 4],
    doubles: [f64; 4],
    next_integer: usize,
    next_double: usize,
}

impl Arguments {
    #[cfg(not(windows))]
    pub fn in_registers(integers: [usize; 4], doubles: [f64; 4]) -> Self {
        Self {
            integers,
            doubles,
            next_integer: 0,
            next_double: 0,
        }
    }

    #[cfg(windows)]
    pub fn in_slots(slots: [usize; 4]) -> Self {
        Self {
            integers: slots,
            doubles: slots.map(|slot| f64::from_bits(slot as u64)),
            next_integer: 0,
            next_double: 0,
        }
    }

    /// The next argument, an integer or a pointer. The upper half of a narrower integer is undefined.
    pub fn integer(&mut self) -> Option<usize> {
        let value = self.integers.get(self.next_integer).copied();
        self.next_integer += 1;
        self.next_double += usize::from(cfg!(windows));
        value
    }

    /// The next argument, a double.
    pub fn double(&mut self) -> Option<f64> {
        let value = self.doubles.get(self.next_double).copied();
        self.next_double += 1;
        self.next_integer += usize::from(cfg!(windows));
        value
    }
}

/// Defines a function that can be called as `fn(named, ...)`; its body sees the rest as [`Arguments`].
macro_rules! variadic_function {
    ($visibility:vis fn $name:ident($($named:ident: $kind:ty,)* ..$rest:ident) $body:block) => {
        #[cfg(not(windows))]
        #[allow(clippy::too_many_arguments, reason = "one for each register")]
        $visibility extern "C" fn $name(
            $($named: $kind,)*
            a: usize, b: usize, c: usize, d: usize, x: f64, y: f64, z: f64, w: f64,
        ) -> OfxStatus {
            let $rest = $crate::host::variadic::Arguments::in_registers([a, b, c, d], [x, y, z, w]);
            $body
        }

        #[cfg(windows)]
        #[allow(clippy::too_many_arguments, reason = "one for each slot")]
        $visibility extern "C" fn $name(
            $($named: $kind,)* a: usize, b: usize, c: usize, d: usize,
        ) -> OfxStatus {
            let $rest = $crate::host::variadic::Arguments::in_slots([a, b, c, d]);
            $body
        }
    };
}

/// Such a function as the type that a suite has for it.
macro_rules! as_variadic {
    ($function:ident as fn($($named:ty),*)) => {{
        // SAFETY: both are function pointers, and the module's comment tells why the calling conventions
        // agree.
        unsafe {
            std::mem::transmute::<
                *const (),
                unsafe extern "C" fn($($named,)* ...) -> OfxStatus,
            >($function as *const ())
        }
    }};
}

pub(super) use {as_variadic, variadic_function};
