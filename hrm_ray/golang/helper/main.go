// The helper answers, one after the other, whether Go files parse and what their types say.
//
// A request is a line of JSON on stdin. {"source": file, "start": byte, "end": byte, "types": bool} asks about the
// declaration that start and end enclose; the answer is a line of JSON on stdout (see answer). {"sources": [file, ...]}
// asks where the declarations of each file are; the answer is {"layouts": [...]} (see layout). The helper lives as long
// as its stdin is open, and never longer, however busy it is. Who starts it bounds its time and memory.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"strings"
)

type request struct {
	Source string `json:"source"`
	Start  int    `json:"start"`
	End    int    `json:"end"`
	Types  bool   `json:"types"`
	// Sources are files whose layout is asked for, and nothing else is.
	Sources []string `json:"sources"`
}

// answer says at which level ("format" or "types") a file stands, and how: "valid", "not valid" or "unknown". The rest
// is the first thing that is wrong or unknown, with its byte in the file: lines are what a //line comment says they are.
type answer struct {
	Level   string `json:"level"`
	Outcome string `json:"outcome"`
	Offset  int    `json:"offset"`
	Message string `json:"message"`
}

func main() {
	requests := make(chan request)
	go read(requests)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	checker := newChecker()
	for one := range requests {
		var found any
		if one.Sources != nil {
			found = map[string][]layout{"layouts": layouts(one.Sources)}
		} else {
			found = judge(checker, one)
		}
		if encoder.Encode(found) != nil || out.Flush() != nil {
			return
		}
	}
}

// read ends the process with its input, even in the middle of an endless answer: no orphan stays.
func read(requests chan<- request) {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<16))
	for {
		var one request
		if decoder.Decode(&one) != nil {
			os.Exit(0)
		}
		requests <- one
	}
}

// judge parses with the mode of gofmt -e, which accepts what the parser accepts.
func judge(checker *checker, one request) answer {
	files := checker.files
	const mode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors
	file, err := parser.ParseFile(files, "", one.Source, mode)
	if file != nil {
		defer files.RemoveFile(files.File(file.FileStart))
	}
	if err != nil {
		return refused(err)
	}
	if !one.Types {
		return answer{Level: "format", Outcome: "valid"}
	}
	inside := span{file.FileStart + token.Pos(one.Start), file.FileStart + token.Pos(one.End)}
	return checker.check(file, inside, built(one.Source))
}

func refused(err error) answer {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return answer{"format", "not valid", list[0].Pos.Offset, list[0].Msg}
	}
	return answer{Level: "format", Outcome: "not valid", Message: err.Error()}
}

// built says whether the build constraints of a file hold here. Elsewhere the standard library may be another.
func built(source string) bool {
	context := build.Default
	context.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(source)), nil }
	matched, err := context.MatchFile("", "file.go")
	return matched || err != nil
}

type span struct{ start, end token.Pos }

func (s span) holds(pos token.Pos) bool { return s.start <= pos && pos < s.end }

func (s span) meets(node ast.Node) bool { return node.Pos() < s.end && s.start < node.End() }
