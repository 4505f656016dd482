// Nothing: precompiled headers need a file of their own to be compiled with.
