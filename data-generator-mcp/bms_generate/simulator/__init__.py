"""The physics and the defects behind `bms_generate.simulate`: arrays in, arrays out, one idea per file."""
