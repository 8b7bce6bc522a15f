// Verifies a log that was exported as static C2SP files, a .tlog-proof and a consistency proof, with nothing but the
// Go checksum database's own packages. Run by the Rust test `foreign.rs`:
//
//	verify DIR VKEY LEAF PROOF OLDCHECKPOINT CONSISTENCY
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func fail(format string, args ...interface{}) {
	check(fmt.Errorf(format, args...))
}

// static reads tiles from files; the checksum database's paths name the tile height, C2SP's do not.
type static struct{ dir string }

func (s static) Height() int { return 8 }

func (s static) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(s.dir, path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (s static) SaveTiles([]tlog.Tile, [][]byte) {}

func open(text []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	n, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("not a checkpoint of %s: %q", verifier.Name(), n.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

func hashes(lines []string) []tlog.Hash {
	var out []tlog.Hash
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(line)
		check(err)
		if len(raw) != tlog.HashSize {
			fail("not a hash: %q", line)
		}
		var h tlog.Hash
		copy(h[:], raw)
		out = append(out, h)
	}
	return out
}

func entries(dir string, size int64) {
	checkpoint, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	tree := open(checkpoint, os.Args[2])
	if tree.N != size {
		fail("size %d", tree.N)
	}
	reader := tlog.TileHashReader(tree, static{dir})
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		fail("root %v", root)
	}
	for first := int64(0); first < tree.N; first += 256 {
		width := int(tree.N - first)
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: 8, L: 0, N: first / 256, W: width}.Path()
		bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(path, "tile/8/0/", "tile/entries/", 1)))
		check(err)
		var indexes []int64
		for i := 0; i < width; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(i)))
		}
		stored, err := reader.ReadHashes(indexes)
		check(err)
		for i := 0; i < width; i++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				fail("bundle %s ends early", path)
			}
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:length]) != stored[i] {
				fail("leaf %d", first+int64(i))
			}
			bundle = bundle[length:]
		}
		if len(bundle) != 0 {
			fail("bundle %s is too long", path)
		}
	}
	for _, index := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		check(err)
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]))
	}
}

func proof(leaf, text []byte) tlog.Tree {
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	if len(parts) != 2 {
		fail("proof without checkpoint")
	}
	lines := strings.Split(string(parts[0]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		fail("not a proof: %q", lines[0])
	}
	index, err := strconv.ParseInt(lines[1][len("index "):], 10, 64)
	check(err)
	tree := open(parts[1], os.Args[2])
	check(tlog.CheckRecord(hashes(lines[2:]), tree.N, tree.Hash, index, tlog.RecordHash(leaf)))
	return tree
}

func main() {
	var files [][]byte
	for _, path := range os.Args[3:] {
		content, err := os.ReadFile(path)
		check(err)
		files = append(files, content)
	}
	tree := proof(files[0], files[1])
	entries(os.Args[1], tree.N)
	old := open(files[2], os.Args[2])
	lines := strings.Fields(string(files[3]))
	check(tlog.CheckTree(hashes(lines), tree.N, tree.Hash, old.N, old.Hash))
	fmt.Println("verified", tree.N)
}
