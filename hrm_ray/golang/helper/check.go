package main

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// checker types one file at a time. The standard library is read from its sources when it is first imported; of every
// other import nothing is known, and go/types keeps silent about what depends on it.
type checker struct {
	files    *token.FileSet
	standard types.Importer
	// imported keeps what the importer itself would look for on disk each time.
	imported map[string]*types.Package
}

func newChecker() *checker {
	files := token.NewFileSet()
	return &checker{files, importer.ForCompiler(files, "source", nil), map[string]*types.Package{"unsafe": types.Unsafe}}
}

var errForeign = errors.New("not of the standard library")

// Import makes the checker an importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if known := c.imported[path]; known != nil {
		return known, nil
	}
	place := filepath.Join(os.Getenv("GOROOT"), "src", filepath.FromSlash(path))
	if folder, err := os.Stat(place); err != nil || !folder.IsDir() || strings.HasPrefix(path, ".") {
		return nil, errForeign
	}
	found, err := c.standard.Import(path)
	if err == nil {
		c.imported[path] = found
	}
	return found, err
}

// check says that a file is not valid for what no other file and no import can mend, wherever it is; else that it is
// unknown where something inside the declaration is, or depends on it. The bodies of other functions that do not speak
// of the declaration are left out, and variables that they do not use. Where a file is not built here, its imports are
// all unknown.
func (c *checker) check(file *ast.File, inside span, built bool) answer {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	var found []types.Error
	config := types.Config{
		Importer:    c,
		FakeImportC: true,
		Error: func(err error) {
			if one, ok := err.(types.Error); ok {
				found = append(found, one)
			}
		},
	}
	if !built {
		config.Importer = nil
	}
	quieten(file, inside)
	pkg, _ := config.Check(file.Name.Name, c.files, []*ast.File{file}, info)
	view := view{file, pkg, info, map[types.Type]bool{}}
	unknown := view.unknown(inside)
	for _, one := range found {
		switch {
		case strings.HasPrefix(one.Msg, "\t"): // goes on about the one before
		case strings.HasPrefix(one.Msg, notUsed) && !inside.holds(one.Pos): // whatever is inside
		case !view.mendable(one):
			return c.answer("not valid", one.Pos, one.Msg)
		case inside.holds(one.Pos) && !unknown.IsValid():
			unknown = one.Pos
		}
	}
	if unknown.IsValid() {
		return c.answer("unknown", unknown, "depends on what is not in the file")
	}
	return answer{Level: "types", Outcome: "valid"}
}

func (c *checker) answer(outcome string, pos token.Pos, message string) answer {
	return answer{"types", outcome, c.files.Position(pos).Offset, message}
}
