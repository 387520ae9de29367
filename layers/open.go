package layers

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// Open reads a model with its weights. path is
//
//   - a folder with a config.json and a model.safetensors, or a model.safetensors.index.json and the files it names;
//   - a .safetensors file with a config in its metadata, as [Export] writes it;
//   - a .bin file of llama2.c, whose models have RoPE of base 10000 and a NormEps of 1e-5;
//   - a .gguf file of llama.cpp that holds a Llama or a GPT-2 in F64, F32, F16, BF16 or Q8_0.
//
// A config.json holds a [Config], or the settings of Hugging Face's Llama or GPT-2. Of theirs, what concerns training
// alone and a Config does not have is passed over: attention_dropout, attn_pdrop and initializer_range. Every other
// setting that the model could not follow is an error, as is any tensor that is missing, unknown or misshapen.
//
// The weights are copied, so the files may change afterwards. Options are those of [graph.NewParams].
func Open(path string, opts ...graph.Option) (*TransformerLM, error) {
	return OpenFS(weights.Disk, filepath.ToSlash(path), opts...)
}

// OpenFS reads a model as [Open] does from a file system, such as that of files embedded in a program. The folder that
// is all of it has the path ".".
func OpenFS(fsys fs.FS, path string, opts ...graph.Option) (*TransformerLM, error) {
	if fsys == nil {
		return nil, errors.New("layers: Open: no file system")
	}
	c, err := openCheckpoint(fsys, path)
	if err != nil {
		return nil, errors.WithMessagef(err, "layers: Open %s", path)
	}
	defer c.weights.Close()
	m, err := c.model(opts)
	return m, errors.WithMessagef(err, "layers: Open %s", path)
}

// A checkpoint is a model in files.
type checkpoint struct {
	config    Config
	weights   *weights.File
	templates []template // of the format; nil for a model's own names
	split     bool       // how the format pairs elements under rotary positions
	flat      *flat      // the content of weights, if a file is no more than numbers in the order of the templates
}

func openCheckpoint(fsys fs.FS, name string) (*checkpoint, error) {
	info, err := fs.Stat(fsys, name)
	switch ext := path.Ext(name); {
	case err != nil:
		return nil, errors.WithStack(err)
	case info.IsDir():
		return openFolder(fsys, name)
	case ext == ".safetensors":
		return openFile(fsys, name)
	case ext == ".bin":
		return openLlama2C(fsys, name)
	case ext == ".gguf":
		return openGGUF(fsys, name)
	}
	return nil, errors.New("no folder, and no file that ends in .safetensors, .bin or .gguf")
}

// openFile opens a .safetensors file with a config in its metadata.
func openFile(fsys fs.FS, name string) (*checkpoint, error) {
	f, err := safetensors.Open(fsys, name)
	if err != nil {
		return nil, err
	}
	text, ok := f.Metadata[configKey]
	if !ok {
		f.Close()
		return nil, errors.Errorf("the metadata has no %s", configKey)
	}
	c := &checkpoint{weights: f}
	if c.config, err = nativeConfig([]byte(text)); err != nil {
		f.Close()
		return nil, errors.WithMessage(err, configKey)
	}
	return c, nil
}

// maxConfig bounds the size of a config.json in bytes.
const maxConfig = 1 << 20

func openFolder(fsys fs.FS, dir string) (*checkpoint, error) {
	data, err := weights.ReadFile(fsys, path.Join(dir, "config.json"), maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checkpoint{}
	if err := c.configure(data); err != nil {
		return nil, errors.WithMessage(err, "config.json")
	}
	name := path.Join(dir, weightsName)
	if _, err := fs.Stat(fsys, name); errors.Is(err, fs.ErrNotExist) {
		name = path.Join(dir, indexName)
	}
	if c.weights, err = safetensors.Open(fsys, name); err != nil {
		return nil, err
	}
	if c.templates != nil {
		if err := c.tidy(); err != nil {
			c.weights.Close()
			return nil, err
		}
	}
	return c, nil
}

// configure reads a config.json, which says of what kind it is.
func (c *checkpoint) configure(data []byte) error {
	s, err := newSettings(data)
	if err != nil {
		return err
	}
	if _, ok := s.values["model_type"]; !ok {
		if _, ok := s.values["d_model"]; !ok {
			return errors.New("it has neither the model_type of Hugging Face's files nor a d_model")
		}
		c.config, err = nativeConfig(data)
		return err
	}
	switch kind := take(s, "model_type", ""); kind {
	case "llama":
		c.config, c.templates, c.split = llamaConfig(s), llamaTemplates(), true
	case "gpt2":
		c.config, c.templates = gpt2Config(s), gpt2Templates
	default:
		return errors.Errorf("model_type %q is not supported, want llama or gpt2", kind)
	}
	return s.err()
}

// nativeConfig reads a Config, every field of which it knows.
func nativeConfig(data []byte) (c Config, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, errors.WithStack(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return c, errors.New("there is more than one JSON value")
	}
	return c, nil
}

// tidy evens out what Hugging Face's files of one architecture differ in: names without a prefix, buffers that are no
// weights, and an output layer that is the embedding and is there all the same.
func (c *checkpoint) tidy() error {
	tensors := c.weights.Tensors
	_, bare := tensors["wte.weight"]
	err := c.weights.Rename(func(name string) string {
		for _, buffer := range []string{".attn.bias", ".attn.masked_bias", ".self_attn.rotary_emb.inv_freq"} {
			if strings.HasSuffix(name, buffer) {
				return ""
			}
		}
		if bare && name != "lm_head.weight" {
			return "transformer." + name
		}
		return name
	})
	if err != nil || !c.config.TieEmbeddings {
		return err
	}
	return c.dropCopy("lm_head.weight", c.templates[0].name)
}

// dropCopy forgets an output layer that is there and is the embedding once more.
func (c *checkpoint) dropCopy(head, embedding string) error {
	tensors := c.weights.Tensors
	h, e := tensors[head], tensors[embedding]
	if h.Data == nil || h.DType != e.DType || !slices.Equal(h.Shape, e.Shape) {
		return nil // there is none, or it is another
	}
	return weights.Each(1, 1, func(int, int) {
		if bytes.Equal(h.Data, e.Data) {
			delete(tensors, head)
		}
	})
}

// model makes the model and fills it.
func (c *checkpoint) model(opts []graph.Option) (*TransformerLM, error) {
	if c.flat == nil { // a flat file has the size that its config calls for
		if err := c.plausible(); err != nil {
			return nil, err
		}
	}
	params := graph.NewParams(0, append(slices.Clone(opts), graph.Blank())...)
	m, err := NewTransformerLM(params.Root(), c.config)
	if err != nil {
		return nil, err
	}
	slots, err := m.slots(c.templates, c.split)
	if err != nil {
		return nil, err
	}
	if c.flat != nil {
		c.weights.Tensors = c.flat.cut(slots)
	}
	shapes := make(map[string][]int)
	for _, s := range slots {
		shapes[s.name] = s.shape()
	}
	if err := c.weights.Check(shapes); err != nil {
		return nil, err
	}
	for _, s := range slots {
		if err := s.read(c.weights.Tensors[s.name]); err != nil {
			return nil, errors.WithMessage(err, s.name)
		}
	}
	return m, nil
}

// plausible refuses a config whose model is far larger than the file, before memory is taken for it. What is missing in
// a file that is merely incomplete is for the list of errors that follows.
func (c *checkpoint) plausible() error {
	config, err := c.config.WithDefaults()
	if err != nil {
		return err
	}
	dim, hidden := float64(config.DModel), float64(config.DFF)
	least := dim*float64(config.VocabSize) + float64(config.NumLayers)*(2*dim*dim+2*dim*hidden)
	if config.Position == Learned {
		least += dim * float64(config.ContextLength)
	}
	held := c.weights.Numbers()
	if least > 16*float64(held)+1<<20 || config.NumLayers > 16*len(c.weights.Tensors) {
		return errors.Errorf("%d tensors of %d numbers are no model of %d layers of width %d and %d, and %d tokens",
			len(c.weights.Tensors), held, config.NumLayers, config.DModel, config.DFF, config.VocabSize)
	}
	return nil
}
