"""The chain rule of `gradcheck explain`, in every format."""
