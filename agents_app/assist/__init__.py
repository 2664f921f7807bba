"""Help by a language model, off unless `AI_MODEL` is set. Nothing that it writes is sent or published by itself."""
