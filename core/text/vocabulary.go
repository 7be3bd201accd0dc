// Package text has what language models need around the network: vocabularies, sampling, and a generator that keeps a model's state from
// one token to the next.
package text

import (
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/weft-ml/weft/core/tensor"
)

// Vocabulary numbers characters: token i is the i-th of its characters.
type Vocabulary struct {
	chars []rune
	ids   map[rune]int64
}

// NewVocabulary returns the characters that occur in a text, in the order of their code points. Two different ones are the least that there is
// something to predict about.
func NewVocabulary(text string) (*Vocabulary, error) {
	if !utf8.ValidString(text) {
		return nil, invalidUTF8(text)
	}
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	chars := make([]rune, 0, len(seen))
	for r := range seen {
		chars = append(chars, r)
	}
	sort.Slice(chars, func(i, j int) bool { return chars[i] < chars[j] })
	return ParseVocabulary(string(chars))
}

// ParseVocabulary is the inverse of [Vocabulary.String].
func ParseVocabulary(chars string) (*Vocabulary, error) {
	if !utf8.ValidString(chars) {
		return nil, invalidUTF8(chars)
	}
	v := &Vocabulary{chars: []rune(chars), ids: map[rune]int64{}}
	for i, r := range v.chars {
		if j, ok := v.ids[r]; ok {
			return nil, tensor.Err("text", "the vocabulary has ", strconv.QuoteRune(r), " twice, as tokens ", j, " and ", i)
		}
		v.ids[r] = int64(i)
	}
	if len(v.chars) < 2 {
		return nil, tensor.Err("text", "the vocabulary has ", len(v.chars), " characters; a text needs two different ones at least")
	}
	return v, nil
}

func invalidUTF8(s string) error {
	off := 0
	for off < len(s) {
		r, n := utf8.DecodeRuneInString(s[off:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		off += n
	}
	return tensor.Err("text", "byte ", off, " is not UTF-8; convert the text first")
}

// Len returns the number of tokens.
func (v *Vocabulary) Len() int { return len(v.chars) }

// String returns the characters in the order of their tokens.
func (v *Vocabulary) String() string { return string(v.chars) }

// Encode returns the tokens of a text. A character that the vocabulary lacks is an error that names it and its byte offset.
func (v *Vocabulary) Encode(text string) ([]int64, error) {
	out := make([]int64, 0, len(text))
	for off, r := range text {
		id, ok := v.ids[r]
		if !ok {
			if _, n := utf8.DecodeRuneInString(text[off:]); r == utf8.RuneError && n == 1 {
				return nil, invalidUTF8(text)
			}
			return nil, tensor.Err("text", "the model has never seen ", strconv.QuoteRune(r), ", at byte ", off, " of the text; leave it out, or train on a text that has it")
		}
		out = append(out, id)
	}
	return out, nil
}

// Decode returns the text of tokens; those outside the vocabulary become U+FFFD.
func (v *Vocabulary) Decode(ids []int64) string {
	b := make([]byte, 0, len(ids))
	for _, id := range ids {
		r := utf8.RuneError
		if id >= 0 && id < int64(len(v.chars)) {
			r = v.chars[id]
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}
