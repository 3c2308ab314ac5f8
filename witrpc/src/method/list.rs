//! The arguments of one message.

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::contract::ArgumentDescriptor;

use super::Message;
use super::argument::{Argument, TransferKind};

/// A tuple of [`Argument`]s.
pub trait ArgumentList {
    /// What the sender lends.
    type Lent<'a>: Copy;
    /// What the receiver has.
    type Taken<'a>;

    /// Adds all to a message.
    #[doc(hidden)]
    fn put<'a>(&self, lent: Self::Lent<'a>, to: &mut Encoder<'a>) -> Result<(), EncodeError>;

    /// Reads all from a message, which ends behind them.
    #[doc(hidden)]
    fn take<'a>(&self, from: &mut Decoder<'a>) -> Result<Self::Taken<'a>, DecodeError>;
}

/// The arguments of the message `M`, described where the compiler can count them.
pub trait DescribedBy<M> {
    /// The arguments, in order.
    const DESCRIPTORS: &'static [ArgumentDescriptor];
}

macro_rules! argument_list {
    ($($kind:ident $place:tt)*) => {
        impl<$($kind: TransferKind),*> ArgumentList for ($(Argument<$kind>,)*) {
            type Lent<'a> = ($($kind::Lent<'a>,)*);
            type Taken<'a> = ($($kind::Taken<'a>,)*);

            #[inline(always)]
            fn put<'a>(
                &self,
                lent: Self::Lent<'a>,
                to: &mut Encoder<'a>,
            ) -> Result<(), EncodeError> {
                // There may be none of them.
                let (_, _) = (&lent, &to);
                $(self.$place.put(lent.$place, to)?;)*
                Ok(())
            }

            #[inline(always)]
            fn take<'a>(&self, from: &mut Decoder<'a>) -> Result<Self::Taken<'a>, DecodeError> {
                let taken = ($(self.$place.take(from)?,)*);
                from.finish()?;
                Ok(taken)
            }
        }

        impl<M: Message<Args = Self>, $($kind: TransferKind),*> DescribedBy<M>
            for ($(Argument<$kind>,)*)
        {
            const DESCRIPTORS: &'static [ArgumentDescriptor] =
                &[$(M::ARGS.$place.descriptor()),*];
        }
    };
}

argument_list!();
argument_list!(A 0);
argument_list!(A 0 B 1);
argument_list!(A 0 B 1 C 2);
argument_list!(A 0 B 1 C 2 D 3);
argument_list!(A 0 B 1 C 2 D 3 E 4);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 N 12);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 N 12 O 13);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 N 12 O 13 P 14);
argument_list!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 N 12 O 13 P 14 Q 15);
