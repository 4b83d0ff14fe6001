# Every parser meets mutations of its corpus: the same ones in every run. FUZZ_ROUNDS=1000000 looks longer.

setup()
{
	parsers=${EC2FS%/*}/tests/fuzz/parsers
	corpus=$BATS_TEST_DIRNAME/corpus
}

@test "no input breaks a parser" {
	entries=$("$parsers")
	for entry in $entries; do
		"$parsers" "$entry" "${FUZZ_ROUNDS:-20000}" "$corpus/$entry"/*
	done
}

@test "each corpus has its parser" {
	[ "$("$parsers" | sort | tr '\n' ' ')" = "$(cd "$corpus" && echo * | tr ' ' '\n' | sort | tr '\n' ' ')" ]
}
